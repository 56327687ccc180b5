import { useQueryClient } from '@tanstack/react-query'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { api, got } from '../api/client'
import type { Freeze } from '../api/schema'
import { whereShort } from './where-words'

/** Takes back a freeze that was just set; the event log says that it was that. */
export function useUnfreeze(): (freeze: Freeze) => Promise<void> {
  const { t } = useTranslation()
  const client = useQueryClient()
  return async (freeze) => {
    await got(api.POST('/api/v1/freezes/{freeze}/lift', { params: { path: { freeze: freeze.id } }, body: { reason: t('act.undone_at_once') } }))
    await client.invalidateQueries({ queryKey: ['freezes'] })
  }
}

/** By which the commands and an address lift a freeze, wherever it is told. */
export const liftVerb = (t: TFunction, freeze: Freeze): { verb: string; verbLabel: string } => ({
  verb: `lift-${freeze.id}`,
  verbLabel: t('commands.lift', { what: freeze.service || freeze.env ? whereShort(t, freeze) : t('commands.everything') }),
})
