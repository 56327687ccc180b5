// In words, where something holds; what is left out is not narrowed.
import type { TFunction } from 'i18next'

export interface Where {
  service?: string | null
  env?: string | null
  site?: string | null
}

/** `in production of shop`, as a part of a sentence. */
export function whereWords(t: TFunction, { service, env, site }: Where): string {
  const at = site ? 'site' : env ? 'env' : 'all'
  return t(`where.${at}${service ? '_of' : ''}`, { service, env: env ?? '', site })
}

/** The same in a list: `shop / production / shopee-br`. */
export function whereShort(t: TFunction, { service, env, site }: Where): string {
  if (!service && !env && !site) return t('where.everywhere')
  return [service ?? t('where.any_service'), env ?? (site ? t('where.any_env') : undefined), site].filter(Boolean).join(' / ')
}
