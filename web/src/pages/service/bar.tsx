// On a phone: the way back within reach of a thumb.
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMay } from '../../parts/may'
import { RollBack } from './back'
import type { Shown } from './index'

export function ThumbBar({ service, places }: Shown) {
  const { t } = useTranslation()
  const may = useMay()
  const envs = service.environments
    .map((e) => e.name)
    .filter((name) => places.some((p) => p.env === name && p.release) && may('revert', { service: service.name, env: name }))
  const [chosen, setChosen] = useState<string>()
  // The spec names environments on the way to production: the last matters most.
  const env = chosen ?? (envs.includes('production') ? 'production' : envs.at(-1))
  if (env === undefined) return null
  return (
    <div className="thumb-bar">
      {envs.length > 1 && (
        <select aria-label={t('service:act.env')} value={env} onChange={(event) => setChosen(event.target.value)}>
          {envs.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
      <RollBack key={env} service={service.name} env={env} places={places} named />
    </div>
  )
}
