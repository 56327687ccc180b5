// Secrets that reach this service: everything about them but their values, which nothing reads back.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Input, Select } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Secret, SecretScope, SecretSet, Service } from '../../api/schema'
import { Act } from '../../parts/act'
import { HistoryOf } from '../../parts/history'
import { Loaded } from '../../parts/loaded'
import { Mark } from '../../parts/marks'
import { EVERYTHING, useMay } from '../../parts/may'
import { Nothing } from '../../parts/page'
import { Rows } from '../../parts/rows'
import { When } from '../../parts/time'
import { say } from '../../parts/toast'
import { Field } from './acts'
import type { Shown } from './index'
import { scopeOf, secretsQuery, versionsQuery } from './queries'
import { isSecretName } from './secret-name'

export function Secrets({ service }: Shown) {
  const { t } = useTranslation()
  const may = useMay()
  const secrets = useQuery({ ...secretsQuery(service.name), enabled: may('secrets', { service: service.name }) })
  const scopes = useScopeWords(service.name)
  if (!may('secrets', { service: service.name })) return <Nothing title={t('service:secret.not_yours')}>{t('service:secret.not_yours_how')}</Nothing>
  return (
    <>
      <div className="list-above">
        <p className="soft">{t('service:secret.about')}</p>
        <SetSecret service={service} />
      </div>
      <Loaded of={secrets} rows={5}>
        {(items) =>
          items.length === 0 ? (
            <Nothing title={t('service:secret.none')}>{t('service:secret.none_how')}</Nothing>
          ) : (
            <section className="sheet">
            <Rows
              label={t('service:tab.secrets')}
              items={items}
              id={(s) => s.id}
              columns={[
                {
                  head: t('service:secret.name'),
                  wide: true,
                  cell: (s) => (
                    <>
                      <strong className="mono">{s.name}</strong>
                      <span className="soft">{scopes(s.scope)}</span>
                      {may('read_audit', EVERYTHING) && <div><HistoryOf subject={`secret/${s.id}`} /></div>}
                    </>
                  ),
                },
                {
                  head: t('service:secret.version'),
                  cell: (s) => (
                    <>
                      {s.version} <code className="soft-inline" title={t('service:secret.fingerprint')}>{s.fingerprint}</code>
                    </>
                  ),
                },
                {
                  head: t('service:secret.set'),
                  cell: (s) => (
                    <>
                      <When at={s.set_at} />
                      <span className="soft">{s.set_by}</span>
                    </>
                  ),
                },
                { head: t('service:secret.used'), cell: (s) => (s.used_at ? <When at={s.used_at} /> : <span className="soft">{t('service:secret.never')}</span>) },
                {
                  head: t('service:acts'),
                  acts: true,
                  cell: (s) => (
                    <>
                      <SetSecret service={service} secret={s} />
                      <Restore service={service} secret={s} />
                      <Remove service={service} secret={s} />
                    </>
                  ),
                },
              ]}
            />
            </section>
          )
        }
      </Loaded>
    </>
  )
}

function useScopeWords(service: string): (scope: SecretScope) => string {
  const { t } = useTranslation()
  return (scope) =>
    [
      scope.service ?? t('service:secret.every_service'),
      scope.env ?? t('service:act.every_env'),
      ...(scope.site ? [scope.site] : []),
      ...(scope.service === service ? [] : [t('service:secret.shared')]),
    ].join(' · ')
}

/** Says who goes on with the old value, which is what one must know next. */
function useTold(service: string): (done: SecretSet) => Promise<void> {
  const { t } = useTranslation()
  const client = useQueryClient()
  return async (done) => {
    const { name, version } = done.secret
    const words = [
      done.changed ? t('service:secret.now', { name, version }) : t('service:secret.same', { name }),
      ...(done.maskable ? [] : [t('service:secret.short')]),
      ...(done.stale.length > 0 ? [t('service:secret.stale', { count: done.stale.length })] : []),
    ]
    say(words.join(' '), { bad: !done.maskable })
    await client.invalidateQueries({ queryKey: ['service', service, 'secrets'] })
  }
}

/** A new one, or another value of one that there is. */
function SetSecret({ service, secret }: { service: Service; secret?: Secret }) {
  const { t } = useTranslation()
  const told = useTold(service.name)
  const scopes = useScopeWords(service.name)
  const [name, setName] = useState('')
  const [env, setEnv] = useState('')
  const [site, setSite] = useState('')
  const [value, setValue] = useState('')
  const sites = service.environments.find((e) => e.name === env)?.sites ?? []
  const scope: SecretScope = secret?.scope ?? { service: service.name, ...(env && { env }), ...(site && { site }) }
  const called = secret?.name ?? name.trim()
  const wrong = called !== '' && !isSecretName(called)
  return (
    <Act
      label={secret ? t('service:secret.renew') : t('service:secret.add')}
      primary={!secret}
      {...(secret && { size: 'small' as const })}
      says={secret ? t('service:secret.renews', { name: secret.name, scope: scopes(secret.scope) }) : t('service:secret.adds')}
      ready={called !== '' && !wrong && value !== ''}
      onPutOff={() => setValue('')}
      perform={async () => {
        const done = await got(api.PUT('/api/v1/secrets/{secret}', { params: { path: { secret: called } }, body: { scope, value } }))
        setValue('')
        setName('')
        await told(done)
      }}
    >
      {!secret && (
        <>
          <Field
            label={t('service:secret.name')}
            hint={wrong ? <Mark tone="bad">{t('service:secret.name_wrong')}</Mark> : t('service:secret.name_hint')}
          >
            <Input className="mono" value={name} autoComplete="off" spellCheck={false} maxLength={100} {...(wrong && { status: 'error' as const })} aria-invalid={wrong} onChange={(e) => setName(e.target.value)} />
          </Field>
          <div className="act-pair">
            <Field label={t('service:act.env')}>
              <Select
                style={{ width: '100%' }}
                value={env}
                onChange={(next) => {
                  setEnv(next)
                  setSite('')
                }}
                options={[{ value: '', label: t('service:act.every_env') }, ...service.environments.map((e) => ({ value: e.name, label: e.name }))]}
              />
            </Field>
            {sites.length > 1 && (
              <Field label={t('service:log.site')}>
                <Select
                  style={{ width: '100%' }}
                  value={site}
                  onChange={setSite}
                  options={[{ value: '', label: t('service:log.every_site') }, ...sites.map((s) => ({ value: s, label: s }))]}
                />
              </Field>
            )}
          </div>
        </>
      )}
      <Field label={t('service:secret.value')} hint={t('service:secret.value_hint')}>
        <textarea
          className="secret-value"
          rows={3}
          value={value}
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          data-1p-ignore
          data-lpignore="true"
          onChange={(e) => setValue(e.target.value)}
        />
      </Field>
    </Act>
  )
}

function Restore({ service, secret }: { service: Service; secret: Secret }) {
  const { t } = useTranslation()
  const told = useTold(service.name)
  const [version, setVersion] = useState<number>()
  return (
    <Act
      label={t('service:secret.restore')}
      size="small"
      refused={secret.version < 2 ? t('service:secret.single') : undefined}
      ready={version !== undefined}
      says={version === undefined ? t('service:secret.restores_which') : t('service:secret.restores', { name: secret.name, version, next: secret.version + 1 })}
      perform={async () => {
        const body = { scope: secret.scope, version: version ?? 0 }
        await told(await got(api.POST('/api/v1/secrets/{secret}/restore', { params: { path: { secret: secret.name } }, body })))
        setVersion(undefined)
      }}
    >
      <Versions service={service.name} secret={secret} chosen={version} choose={setVersion} />
    </Act>
  )
}

function Versions({ service, secret, chosen, choose }: { service: string; secret: Secret; chosen: number | undefined; choose: (version: number) => void }) {
  const { t } = useTranslation()
  const versions = useQuery(versionsQuery(service, secret))
  return (
    <Loaded of={versions}>
      {({ items }) => (
        <ul className="versions" role="radiogroup" aria-label={t('service:secret.versions')}>
          {items.map((v) => (
            <li key={v.version}>
              <label>
                <input type="radio" name={`version-${secret.id}`} disabled={v.in_force} checked={chosen === v.version} onChange={() => choose(v.version)} />
                <strong>{v.version}</strong> <code>{v.fingerprint}</code>
                <span>
                  <When at={v.set_at} /> {v.set_by}
                </span>
                {v.in_force && <Mark tone="good">{t('service:secret.in_force')}</Mark>}
              </label>
            </li>
          ))}
        </ul>
      )}
    </Loaded>
  )
}

function Remove({ service, secret }: { service: Service; secret: Secret }) {
  const { t } = useTranslation()
  const client = useQueryClient()
  const scopes = useScopeWords(service.name)
  return (
    <Act
      label={t('service:secret.remove')}
      size="small"
      danger
      done={t('service:secret.removed', { name: secret.name })}
      undo={() =>
        got(
          api.POST('/api/v1/secrets/{secret}/restore', {
            params: { path: { secret: secret.name } },
            body: { scope: secret.scope, version: secret.version },
          }),
        ).then(() => client.invalidateQueries({ queryKey: ['service', service.name, 'secrets'] }))
      }
      says={t('service:secret.removes', { name: secret.name, scope: scopes(secret.scope) })}
      perform={async () => {
        await api.DELETE('/api/v1/secrets/{secret}', { params: { path: { secret: secret.name }, query: scopeOf(secret) } })
        await client.invalidateQueries({ queryKey: ['service', service.name, 'secrets'] })
      }}
    />
  )
}
