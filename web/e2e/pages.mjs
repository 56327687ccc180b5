// Every page and every tab of it, of a world in which something happened.

const SERVICE_TABS = ['releases', 'rollouts', 'runs', 'logs', 'spec', 'secrets', 'settings']
const SYSTEM_TABS = ['health', 'hosts', 'storage', 'freezes', 'certificates', 'backups', 'forges', 'audit']
const PEOPLE_TABS = ['people', 'groups', 'tokens', 'policies', 'access', 'history']

/** Names and addresses; `rollouts` and `runs`: ids by what they show. */
export function pages({ service, rollouts, runs }) {
  return [
    ['overview', '/'],
    ...SERVICE_TABS.map((tab) => [`service-${tab}`, `/services/${service}?tab=${tab}`]),
    ...Object.entries(rollouts).map(([name, id]) => [`rollout-${name}`, `/rollouts/${id}`]),
    ...Object.entries(runs).map(([name, id]) => [`run-${name}`, `/runs/${id}`]),
    ['events', '/events'],
    ...PEOPLE_TABS.map((tab) => [`people-${tab}`, `/people?tab=${tab}`]),
    ['account', '/account'],
    ...SYSTEM_TABS.map((tab) => [`system-${tab}`, `/system?tab=${tab}`]),
  ]
}



export async function settled(page) {
  await page.locator('h1').first().waitFor()
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton, .plain-spin'))
}
