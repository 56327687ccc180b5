// Where something holds: a service, an environment, a site; what is left out is not narrowed.
import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useId } from 'react'
import { useTranslation } from 'react-i18next'
import { servicesQuery } from '../api/queries'
import type { Where } from './where-words'
import './where.css'

export function WhereFields({ value, set, sites = true }: { value: Where; set: (where: Where) => void; sites?: boolean }) {
  const { t } = useTranslation()
  const { data: services = [] } = useQuery(servicesQuery)
  const within = value.service ? services.filter((s) => s.name === value.service) : services
  const environments = [...new Set(within.flatMap((s) => s.environments.map((e) => e.name)))]
  const places = [...new Set(within.flatMap((s) => s.environments.filter((e) => e.name === value.env).flatMap((e) => e.sites)))]
  return (
    <div className="where">
      <Choice
        label={t('where.service')}
        none={t('where.any_service')}
        value={value.service}
        among={services.map((s) => s.name)}
        set={(service) => set({ service })}
      />
      <Choice
        label={t('where.environment')}
        none={t('where.any_env')}
        value={value.env}
        among={environments}
        set={(env) => set({ service: value.service ?? null, env })}
      />
      {sites && (
        <Choice
          label={t('where.site_label')}
          none={t('where.any_site')}
          value={value.site}
          among={places}
          off={!value.env}
          set={(site) => set({ ...value, site })}
        />
      )}
    </div>
  )
}

interface ChoiceProps {
  label: string
  none: string
  value: string | null | undefined
  among: string[]
  off?: boolean
  set: (value: string | null) => void
}

function Choice({ label, none, value, among, off = false, set }: ChoiceProps) {
  const id = useId()
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <Select
        id={id}
        value={value ?? ''}
        disabled={off}
        showSearch={among.length > 8}
        style={{ width: '100%' }}
        options={[{ value: '', label: none }, ...among.map((name) => ({ value: name, label: name }))]}
        onChange={(next: string) => set(next || null)}
      />
    </div>
  )
}
