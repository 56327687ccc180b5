// What the commands offer: what can be done here, where one can go, what can be done from anywhere, and what was found.
import type { NavigateOptions } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import type { Found, Freeze, RunState } from '../api/schema'
import type { Action, Thing } from '../parts/may'
import { liftVerb } from '../parts/unfreeze'
import { asked, verbsHere } from '../parts/verbs'
import type { Named } from './find'

export interface Command extends Named {
  id: string
  group: string
  danger?: boolean
  /** Said beside it, smaller. */
  more?: string
  state?: RunState
  go: () => unknown
}

interface With {
  t: TFunction
  navigate: (to: NavigateOptions) => unknown
  may: (action: Action, thing?: Thing) => boolean
}

/** Other words for the same, in both languages: who is in a hurry types the first that comes to mind. */
const ALSO = {
  rollback: 'rollback roll back revert undo \u56de\u6eda \u56de\u9000 \u64a4\u56de',
  rollout: 'deploy release rollout ship \u53d1\u5e03 \u4e0a\u7ebf \u90e8\u7f72',
  promote: 'promote \u63a8\u8fdb \u664b\u7ea7',
  lift: 'lift unfreeze thaw \u89e3\u9664\u51bb\u7ed3 \u89e3\u51bb',
  freeze: 'freeze block \u51bb\u7ed3 \u5c01\u7248',
  logs: 'logs \u65e5\u5fd7',
  secrets: 'secrets \u5bc6\u94a5',
  spec: 'configuration spec yaml \u914d\u7f6e',
  settings: 'settings \u8bbe\u7f6e',
  runs: 'runs pipelines builds \u8fd0\u884c \u6d41\u6c34\u7ebf \u6784\u5efa',
  rollouts: 'rollouts history \u53d1\u5e03\u8bb0\u5f55 \u5386\u53f2',
  abort: 'abort stop cancel \u4e2d\u6b62 \u53d6\u6d88',
  pause: 'pause hold \u6682\u505c',
} as const

/** Words of what to do, which are not looked for on the server. */
export const VERBS: string[] = Object.values(ALSO)

export const here = (t: TFunction): Command[] =>
  verbsHere().map(({ label, danger, run }, n) => ({ id: `here/${n}`, group: t('commands.here'), label: `${label}\u2026`, danger, go: run }))

/** What is frozen, to be lifted where it is told. */
export const lifts = ({ t, navigate, may }: With, freezes: readonly Freeze[]): Command[] =>
  freezes
    .filter(({ service, env }) => may('freeze', { service: service ?? '*', env: env ?? '*' }))
    .map((freeze) => {
      const { verb, verbLabel } = liftVerb(t, freeze)
      const at: NavigateOptions = freeze.service
        ? { to: '/services/$service', params: { service: freeze.service } }
        : { to: '/system', search: { tab: 'freezes' } }
      return {
        id: `lift/${freeze.id}`,
        group: t('commands.verbs'),
        label: `${verbLabel}\u2026`,
        also: ALSO.lift,
        more: freeze.reason,
        go: () => navigate({ ...at, hash: asked(verb) }),
      }
    })

export function everywhere({ t, navigate, may }: With, own: { id: string; label: string; also?: string; go: () => unknown }[]): Command[] {
  const page = (to: '/' | '/events' | '/people' | '/system' | '/account', key: string, words: string): Command => ({
    id: to,
    group: t('commands.pages'),
    label: words,
    also: key,
    more: `G ${key}`,
    go: () => navigate({ to }),
  })
  const verb = (id: string, action: Action | undefined, to: NavigateOptions, also = ''): Command[] =>
    action === undefined || may(action) ? [{ id, group: t('commands.verbs'), label: t(`commands.do.${id}`), also, go: () => navigate(to) }] : []
  return [
    page('/', 'O', t('nav.overview')),
    page('/events', 'E', t('nav.events')),
    page('/people', 'P', t('nav.people')),
    page('/system', 'S', t('nav.system')),
    page('/account', 'A', t('nav.account')),
    ...verb('freeze', 'freeze', { to: '/system', search: { tab: 'freezes' }, hash: asked('freeze') }, ALSO.freeze),
    ...verb('backup', 'system', { to: '/system', search: { tab: 'backups' }, hash: asked('backup') }, 'backup \u5907\u4efd'),
    ...verb('invite', 'access', { to: '/people', search: { tab: 'people' }, hash: asked('invite') }, 'invite user \u9080\u8bf7'),
    ...verb('group', 'access', { to: '/people', search: { tab: 'groups' }, hash: asked('group') }, 'group team \u7ec4'),
    ...verb('grant', 'access', { to: '/people', search: { tab: 'people' } }, 'role grant \u89d2\u8272 \u6743\u9650'),
    ...verb('token', undefined, { to: '/people', search: { tab: 'tokens' }, hash: asked('token') }, 'token api \u4ee4\u724c'),
    ...verb('policy', 'policy', { to: '/people', search: { tab: 'policies' } }, 'policy approvals \u7b56\u7565 \u5ba1\u6279'),
    ...verb('password', undefined, { to: '/account', hash: asked('password') }, 'password \u5bc6\u7801'),
    ...verb('factor', undefined, { to: '/account' }, 'second factor totp 2fa mfa \u7b2c\u4e8c\u56e0\u7d20'),
    ...verb('verify', 'read_audit', { to: '/events' }, 'audit chain verify export \u5ba1\u8ba1'),
    ...verb('hosts', undefined, { to: '/system', search: { tab: 'hosts' } }, 'hosts agents \u4e3b\u673a'),
    ...verb('certificates', 'system', { to: '/system', search: { tab: 'certificates' } }, 'tls certificates \u8bc1\u4e66'),
    ...own.map((one) => ({ ...one, group: t('commands.verbs') })),
  ]
}

/** What the server found; for the services that fit best, what can be done with them. */
export function found({ t, navigate, may }: With, what: Found | undefined): Command[] {
  if (!what) return []
  const of = (service: string, search: Record<string, string>, hash = ''): NavigateOptions => ({ to: '/services/$service', params: { service }, search, hash })
  const open = what.services.map(
    ({ name, environments }): Command => ({
      id: `service/${name}`,
      group: t('commands.services'),
      label: name,
      more: environments.join(', '),
      go: () => navigate(of(name, {})),
    }),
  )
  const rollouts = what.rollouts.map(
    (r): Command => ({
      id: `rollout/${r.id}`,
      group: t('commands.rollouts'),
      label: `${r.service} ${r.env}: ${t(`kind.${r.kind}`)} ${r.to.label}`,
      also: ALSO.rollouts,
      more: t(`phase.${r.phase}`),
      go: () => navigate({ to: '/rollouts/$rollout', params: { rollout: r.id } }),
    }),
  )
  const stop = what.rollouts.flatMap((r): Command[] => {
    const one = (verb: 'abort' | 'pause', action: Action): Command[] =>
      may(action, { service: r.service, env: r.env })
        ? [
            {
              id: `${verb}/${r.id}`,
              group: t('commands.verbs'),
              label: t(`commands.of.${verb}`, { service: r.service, env: r.env, release: r.to.label }),
              also: ALSO[verb],
              danger: verb === 'abort',
              go: () => navigate({ to: '/rollouts/$rollout', params: { rollout: r.id }, hash: asked(verb) }),
            },
          ]
        : []
    return [...one('abort', 'revert'), ...one('pause', 'revert')]
  })
  const releases = what.releases.map(
    (r): Command => ({
      id: `release/${r.service}/${r.release.label}`,
      group: t('commands.releases'),
      label: `${r.service} ${r.release.label}`,
      also: r.commit,
      more: r.title ?? r.commit.slice(0, 10),
      go: () => navigate(of(r.service, { tab: 'spec', release: r.release.label })),
    }),
  )
  const runs = what.runs.map(
    (r): Command => ({
      id: `run/${r.id}`,
      group: t('commands.runs'),
      label: `${r.service} #${r.number}`,
      also: r.commit,
      more: r.title ?? r.branch,
      state: r.state,
      go: () => navigate({ to: '/runs/$run', params: { run: r.id } }),
    }),
  )
  const verbs = what.services.slice(0, 5).flatMap(({ name, environments }): Command[] => {
    const one = (verb: keyof typeof ALSO, to: NavigateOptions, action?: Action, env?: string): Command[] =>
      action === undefined || may(action, { service: name, env })
        ? [
            {
              id: `${verb}/${name}/${env ?? ''}`,
              group: t('commands.verbs'),
              label: t(`commands.of.${verb}`, { service: name, env }),
              also: ALSO[verb],
              danger: verb === 'rollback',
              go: () => navigate(to),
            },
          ]
        : []
    return [
      ...environments.flatMap((env) => one('rollback', of(name, {}, asked(`rollback-${env}`)), 'revert', env)),
      ...one('rollout', of(name, {}, asked('rollout')), 'deploy'),
      ...(environments.length > 1 ? one('promote', of(name, {}, asked('promote')), 'deploy') : []),
      ...one('freeze', of(name, {}, asked('freeze')), 'freeze'),
      ...one('logs', of(name, { tab: 'logs' }), 'read_logs'),
      ...one('rollouts', of(name, { tab: 'rollouts' })),
      ...one('runs', of(name, { tab: 'runs' })),
      ...one('spec', of(name, { tab: 'spec' })),
      ...one('secrets', of(name, { tab: 'secrets' })),
      ...one('settings', of(name, { tab: 'settings' })),
    ]
  })
  return [...rollouts, ...stop, ...open, ...releases, ...runs, ...verbs]
}
