import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Segmented } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Event } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { Mark, type Tone } from '../../parts/marks'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { exact, When } from '../../parts/time'

const KINDS = ['user.sign', 'user.', 'role.', 'token.', 'group.', 'access.'] as const

const TONES: Record<string, Tone> = {
  'user.signed_in': 'good', 'user.joined': 'good', 'user.enabled': 'good', 'user.second_factor_set': 'good',
  'user.sign_in_failed': 'bad', 'user.disabled': 'warn', 'user.erased': 'warn', 'user.second_factor_removed': 'warn', 'user.recovery_code_used': 'warn',
}

/** Who came in, from where, and what changed about people. */
export function History() {
  const { t } = useTranslation()
  const [kind, setKind] = useState<string>('user.sign')
  const events = useInfiniteQuery({
    queryKey: ['people', 'history', kind],
    queryFn: ({ pageParam }) =>
      got(api.GET('/api/v1/events', { params: { query: { kind, order: 'newest', limit: 50, ...(pageParam && { after: pageParam }) } } })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
  return (
    <Sheet title={t('people:history')}>
      <div className="history-kinds">
        <Segmented value={kind} onChange={setKind} options={KINDS.map((value) => ({ value: value as string, label: t(`people:history_kind.${value.replace('.', '_')}`) }))} />
      </div>
      <Loaded of={events}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          if (items.length === 0) return <Nothing title={t('people:no_history')}>{t('people:no_history_yet')}</Nothing>
          return (
            <>
              <Rows
                label={t('people:history')}
                items={items}
                id={(event) => event.id}
                columns={[
                  { head: t('people:when'), cell: (event) => <><When at={event.at} /><div className="soft">{exact(event.at)}</div></> },
                  { head: t('people:what'), cell: (event) => <Mark tone={TONES[event.kind] ?? 'still'}>{t(`people:event.${event.kind.replace('.', '_')}`, { defaultValue: event.kind })}</Mark> },
                  { head: t('people:about'), cell: (event) => <span className="mono">{event.subject.replace(/^user\//, '')}</span> },
                  { head: t('people:by'), cell: actor },
                  { head: t('people:details'), wide: true, cell: (event) => <Details event={event} /> },
                ]}
              />
              {events.hasNextPage && (
                <div className="more">
                  <Button loading={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                    {t('more')}
                  </Button>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
    </Sheet>
  )
}

const actor = ({ actor: who }: Event): string => (who.type === 'user' ? who.name : who.type === 'agent' ? who.host : who.part)

/** What the event holds, as words where they are known. */
function Details({ event }: { event: Event }) {
  const { t } = useTranslation()
  const facts = Object.entries(event.after ?? event.before ?? {}).filter(([, value]) => value !== null && value !== '' && typeof value !== 'object')
  if (facts.length === 0) return <span className="soft">–</span>
  return (
    <span className="history-facts">
      {facts.map(([key, value]) => (
        <span key={key}>
          <span className="soft">{t(`people:fact.${key}`, { defaultValue: key })}</span>{' '}
          {typeof value === 'boolean' ? t(value ? 'people:yes' : 'people:no') : <span className="mono">{String(value)}</span>}
        </span>
      ))}
    </span>
  )
}
