import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { Alert } from 'antd'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { isRefused } from '../../api/problem'
import { Loaded } from '../../parts/loaded'
import { EVERYTHING, useMay } from '../../parts/may'
import { Page } from '../../parts/page'
import { FilterBar } from './bar'
import { Chain, chainQuery } from './chain'
import { type Filters, filtersOf, nameOf } from './filters'
import { Trail } from './list'
import './events.css'

export function Events() {
  const { t } = useTranslation()
  const search = useSearch({ from: '/inside/events' })
  const navigate = useNavigate()
  const filters = useMemo(() => filtersOf(search), [search])
  const [actors, setActors] = useState<string[]>([])
  const [subjects, setSubjects] = useState<string[]>([])
  const audits = useMay()('read_audit', EVERYTHING)
  const status = useQuery({ ...chainQuery, enabled: audits })
  const shut = !audits || isRefused(status.error, 403)
  const change = (next: Filters): void => void navigate({ to: '/events', search: next, replace: true, resetScroll: false })
  return (
    <Page title={t('events:title')}>
      {shut ? (
        <Alert className="events-part" type="info" showIcon title={t('events:part')} description={t('events:part_says')} />
      ) : (
        <Loaded of={status} rows={2}>
          {(found) => <Chain status={found} filters={filters} />}
        </Loaded>
      )}
      <section className="sheet events" aria-label={t('events:trail')}>
        <FilterBar filters={filters} change={change} actors={actors} subjects={subjects} />
        <Trail
          key={JSON.stringify(filters)}
          filters={filters}
          seen={(events) => {
            setActors((known) => [...new Set([...known, ...events.map((e) => nameOf(e.actor))])].sort())
            setSubjects((known) => [...new Set([...known, ...events.map((e) => e.subject)])].sort())
          }}
        />
      </section>
    </Page>
  )
}
