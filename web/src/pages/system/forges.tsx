import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { ForgeDeliveryState, ForgeLink } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { Mark, type Tone } from '../../parts/marks'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { When } from '../../parts/time'
import { forgesQuery } from './queries'

const TONES: Record<ForgeDeliveryState, Tone> = { waiting: 'busy', done: 'good', failed: 'bad', stale: 'still', ignored: 'still' }

export function Forges() {
  const { t } = useTranslation()
  const forges = useQuery(forgesQuery)
  return (
    <Sheet title={t('system:forges')}>
      <p className="soft">{t('system:forges_says')}</p>
      <Loaded of={forges}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('system:no_forges')}>
              {t('system:no_forges_yet')}
              <Copyable label={t('system:command')} text="tradewind forge link SERVICE --url https://github.com/OWNER/REPOSITORY --token-stdin < token.txt" />
            </Nothing>
          ) : (
            <Rows
              label={t('system:forges')}
              items={items}
              id={(one) => one.service}
              columns={[
                { head: t('system:service'), cell: (one) => <Link to="/services/$service" params={{ service: one.service }}>{one.service}</Link> },
                { head: t('system:repository'), wide: true, cell: (one) => <Repository link={one} /> },
                { head: t('system:acts_as'), cell: (one) => one.account },
                { head: t('system:last_push'), cell: (one) => <LastPush link={one} /> },
                { head: t('system:fares'), cell: (one) => <Fares link={one} /> },
              ]}
            />
          )
        }
      </Loaded>
    </Sheet>
  )
}

function Repository({ link }: { link: ForgeLink }) {
  const { t } = useTranslation()
  return (
    <>
      {link.url.startsWith('https://') ? (
        <a href={link.url} target="_blank" rel="noreferrer">
          {link.url}
        </a>
      ) : (
        link.url
      )}
      <div className="soft">
        {t(`system:forge_kind.${link.kind}`)} · {link.has_token ? t('system:with_token') : t('system:without_token')}
      </div>
    </>
  )
}

function LastPush({ link: { last } }: { link: ForgeLink }) {
  const { t } = useTranslation()
  if (!last) return <span className="soft">{t('system:no_push_yet')}</span>
  return (
    <>
      <Mark tone={TONES[last.state]}>{t(`system:delivery.${last.state}`)}</Mark>
      <div className="soft">
        {last.branch} · {last.pusher} · <When at={last.received_at} />
      </div>
      {last.run && (
        <Link to="/runs/$run" params={{ run: last.run }}>
          {t('system:its_run')}
        </Link>
      )}
      {last.why && <div className="soft">{last.why}</div>}
    </>
  )
}

function Fares({ link }: { link: ForgeLink }) {
  const { t } = useTranslation()
  if (link.refused === 0 && !link.status_problem) return <Mark tone="good">{t('system:fares_well')}</Mark>
  return (
    <>
      {link.refused > 0 && (
        <div>
          <Mark tone="warn">{t('system:refused', { count: link.refused })}</Mark>
          {link.refused_why && <div className="soft">{link.refused_why}</div>}
          {link.refused_at && <div className="soft"><When at={link.refused_at} /></div>}
        </div>
      )}
      {link.status_problem && (
        <div>
          <Mark tone="warn">{t('system:status_problem')}</Mark>
          <div className="soft">{link.status_problem}</div>
        </div>
      )}
    </>
  )
}
