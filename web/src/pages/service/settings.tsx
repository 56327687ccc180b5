// Where the code is pushed to, and the forge it may come from.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Input } from 'antd'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { ForgeDeliveryState, ForgeLink, Service } from '../../api/schema'
import { Act } from '../../parts/act'
import { Loaded } from '../../parts/loaded'
import { Mark, type Tone } from '../../parts/marks'
import { useMay } from '../../parts/may'
import { Copyable } from '../../parts/once'
import { Nothing, Sheet } from '../../parts/page'
import { When } from '../../parts/time'
import { Field } from './acts'
import type { Shown } from './index'
import { forgeQuery } from './queries'

export function Settings({ service }: Shown) {
  const { t } = useTranslation()
  const forge = useQuery(forgeQuery(service.name))
  const address = `${location.origin}${service.git_path}`
  return (
    <>
      <Sheet title={t('service:setting.git')}>
        <p className="soft">{t('service:setting.git_about')}</p>
        <Copyable text={address} label={t('service:setting.address')} />
        <Copyable text={`git remote add tradewind ${address}\ngit push tradewind HEAD`} label={t('service:setting.push')} />
        <p>
          {t('service:setting.token')} <Link to="/account">{t('service:setting.account')}</Link>
        </p>
      </Sheet>
      <Sheet title={t('service:setting.branches')}>
        {service.environments.length === 0 ? (
          <Nothing title={t('service:place.no_env')}>{t('service:place.no_env_how')}</Nothing>
        ) : (
          <dl className="pairs">
            {service.environments.map((env) => (
              <Pair key={env.name} name={env.name}>
                {env.branch ? t('service:place.branch', { branch: env.branch }) : t('service:place.no_branch')}
                <span className="soft"> · {env.sites.join(', ')}</span>
              </Pair>
            ))}
          </dl>
        )}
      </Sheet>
      <Sheet title={t('service:setting.forge')}>
        <Loaded of={forge}>
          {(link) =>
            link ? <Forge link={link} /> : <Nothing title={t('service:setting.no_forge')}>{t('service:setting.no_forge_how', { service: service.name })}</Nothing>
          }
        </Loaded>
      </Sheet>
      <Owner service={service} />
      <p className="soft">
        {t('service:setting.made', { who: service.created_by })} <When at={service.created_at} />
      </p>
    </>
  )
}

/** Who answers for it. */
function Owner({ service }: { service: Service }) {
  const { t } = useTranslation()
  const may = useMay()
  const client = useQueryClient()
  const [owner, setOwner] = useState('')
  const wanted = owner.trim()
  return (
    <Sheet
      title={t('service:setting.owner')}
      extra={
        may('push', { service: service.name }) && (
          <Act
            label={t('service:setting.hand_over')}
            size="small"
            reason="welcome"
            ready={wanted !== '' && wanted !== service.owner}
            says={t('service:setting.hands_over', { service: service.name, owner: service.owner || '–' })}
            opened={() => setOwner('')}
            perform={async (reason) => {
              await got(api.PUT('/api/v1/services/{service}/owner', { params: { path: { service: service.name } }, body: { owner: wanted, reason } }))
              await client.invalidateQueries({ queryKey: ['service', service.name] })
            }}
            done={t('service:setting.handed_over')}
          >
            <Field label={t('service:setting.new_owner')} hint={t('service:setting.new_owner_hint')}>
              <Input value={owner} maxLength={64} autoComplete="off" spellCheck={false} onChange={(event) => setOwner(event.target.value)} />
            </Field>
          </Act>
        )
      }
    >
      <p>
        <strong>{service.owner || '–'}</strong> <span className="soft">{t('service:setting.owner_about')}</span>
      </p>
    </Sheet>
  )
}

const Pair = ({ name, children }: { name: string; children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)

const DELIVERY: Record<ForgeDeliveryState, Tone> = { waiting: 'busy', done: 'good', failed: 'bad', stale: 'still', ignored: 'still' }

function Forge({ link }: { link: ForgeLink }) {
  const { t } = useTranslation()
  const { last } = link
  return (
    <dl className="pairs">
      <Pair name={t('service:setting.repository')}>
        {/^https?:\/\//.test(link.url) ? (
          <a href={link.url} target="_blank" rel="noreferrer">
            {link.url}
          </a>
        ) : (
          link.url
        )}{' '}
        <span className="soft">{link.kind}</span>
      </Pair>
      {link.hook_url && (
        <Pair name={t('service:setting.hook')}>
          <Copyable text={link.hook_url} label={t('service:setting.hook')} />
        </Pair>
      )}
      <Pair name={t('service:setting.forge_account')}>
        <code>{link.account}</code>
      </Pair>
      <Pair name={t('service:setting.forge_token')}>{link.has_token ? t('service:setting.has_token') : t('service:setting.no_token')}</Pair>
      <Pair name={t('service:setting.last')}>
        {last ? (
          <>
            <Mark tone={DELIVERY[last.state]}>{t(`service:setting.delivery.${last.state}`)}</Mark> {last.branch} {last.after && <code>{last.after.slice(0, 8)}</code>}{' '}
            <span className="soft">
              {last.pusher} · <When at={last.received_at} />
            </span>
            {last.why && <div>{last.why}</div>}
            {last.run && (
              <Link to="/runs/$run" params={{ run: last.run }}>
                {t('service:release.run')}
              </Link>
            )}
          </>
        ) : (
          <span className="soft">{t('service:setting.never')}</span>
        )}
      </Pair>
      {link.refused > 0 && (
        <Pair name={t('service:setting.refused')}>
          {t('service:setting.refused_n', { count: link.refused })} {link.refused_why} <When at={link.refused_at} />
        </Pair>
      )}
      {link.status_problem && (
        <Pair name={t('service:setting.status')}>
          <Mark tone="warn">{t('service:setting.status_not')}</Mark> {link.status_problem}
        </Pair>
      )}
      <Pair name={t('service:setting.linked')}>
        {link.linked_by} <When at={link.linked_at} />
      </Pair>
    </dl>
  )
}
