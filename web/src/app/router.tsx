// Where each address leads. Pages and their words are fetched when they are first shown.
import type { QueryClient } from '@tanstack/react-query'
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import { isRefused } from '../api/problem'
import { meQuery } from '../api/queries'
import { loadWords } from '../i18n'
import { readSearch } from '../pages/overview/search'
import { Broken, Waiting } from './plain'

interface Context {
  client: QueryClient
}

const root = createRootRouteWithContext<Context>()({ component: Outlet })

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search['to'] === 'string' ? { to: search['to'] } : {},
  loader: () => loadWords('login'),
  component: lazyRouteComponent(() => import('../pages/login'), 'Login'),
})

/** With a code of `tradewind console`, which stands behind `#`. */
const enter = createRoute({
  getParentRoute: () => root,
  path: '/enter',
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    typeof search['to'] === 'string' ? { to: search['to'] } : {},
  loader: () => loadWords('login'),
  component: lazyRouteComponent(() => import('../pages/login/enter'), 'Enter'),
})

/** With a code of an invitation, which stands behind `#`. */
const invited = createRoute({
  getParentRoute: () => root,
  path: '/invitation',
  loader: () => loadWords('login'),
  component: lazyRouteComponent(() => import('../pages/login/invited'), 'Invited'),
})

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  beforeLoad: async ({ context, location }) => {
    try {
      const me = await context.client.ensureQueryData(meQuery)
      if (me.second_factor_needed && location.pathname !== '/account') throw redirect({ to: '/account' })
    } catch (error) {
      if (isRefused(error, 401)) throw redirect({ to: '/login', search: { to: location.href } })
      throw error
    }
  },
  component: lazyRouteComponent(() => import('./shell'), 'Shell'),
})

const page = <const Path extends string>(path: Path, words: string[]) => ({
  getParentRoute: () => inside,
  path,
  loader: () => loadWords(...words),
})

const overview = createRoute({
  ...page('/', ['overview']),
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('../pages/overview'), 'Overview'),
})
const OF_SERVICE = ['tab', 'release', 'env', 'site', 'instance', 'state'] as const
const service = createRoute({
  // A log's colours and signs are the same wherever it is shown.
  ...page('/services/$service', ['service', 'run']),
  validateSearch: (search: Record<string, unknown>): Partial<Record<(typeof OF_SERVICE)[number], string>> =>
    Object.fromEntries(OF_SERVICE.flatMap((key) => (typeof search[key] === 'string' ? [[key, search[key]]] : []))),
  component: lazyRouteComponent(() => import('../pages/service'), 'ServicePage'),
})
const rollout = createRoute({
  // Its events are told as the event log tells them.
  ...page('/rollouts/$rollout', ['rollout', 'events']),
  component: lazyRouteComponent(() => import('../pages/rollout'), 'RolloutPage'),
})
const run = createRoute({
  ...page('/runs/$run', ['run']),
  validateSearch: (search: Record<string, unknown>): { job?: string; line?: number } => ({
    ...(typeof search['job'] === 'string' ? { job: search['job'] } : {}),
    ...(typeof search['line'] === 'number' ? { line: search['line'] } : {}),
  }),
  component: lazyRouteComponent(() => import('../pages/run'), 'RunPage'),
})
const events = createRoute({
  ...page('/events', ['events']),
  validateSearch: (search: Record<string, unknown>): Record<string, string> =>
    Object.fromEntries(Object.entries(search).filter((pair): pair is [string, string] => typeof pair[1] === 'string')),
  component: lazyRouteComponent(() => import('../pages/events'), 'Events'),
})
const people = createRoute({
  ...page('/people', ['people']),
  validateSearch: (search: Record<string, unknown>): { tab?: string } =>
    typeof search['tab'] === 'string' ? { tab: search['tab'] } : {},
  component: lazyRouteComponent(() => import('../pages/people'), 'People'),
})
const account = createRoute({
  ...page('/account', ['account', 'people']),
  component: lazyRouteComponent(() => import('../pages/account'), 'Account'),
})
const system = createRoute({
  ...page('/system', ['system']),
  validateSearch: (search: Record<string, unknown>): { tab?: string } =>
    typeof search['tab'] === 'string' ? { tab: search['tab'] } : {},
  component: lazyRouteComponent(() => import('../pages/system'), 'System'),
})

const tree = root.addChildren([
  login,
  enter,
  invited,
  inside.addChildren([overview, service, rollout, run, events, people, account, system]),
])

export const makeRouter = (client: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPendingComponent: Waiting,
    defaultErrorComponent: Broken,
    defaultNotFoundComponent: () => <Broken error={undefined} />,
    scrollRestoration: true,
  })

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
