import { useTranslation } from 'react-i18next'

/** What events are about. */
export const NOUNS = [
  'rollout', 'run', 'job', 'release', 'revision', 'instance', 'queue', 'freeze', 'service', 'environment', 'forge', 'secret', 'vault',
  'certificate', 'host', 'task', 'user', 'group', 'role', 'access', 'token', 'login_code', 'audit', 'storage', 'admin',
] as const

/** An event's kind in words; one that is not known here is shown as it is called. */
export function useKind(): (kind: string) => string {
  const { t } = useTranslation()
  return (kind) => t(`events:kind.${kind}`, { defaultValue: kind })
}
