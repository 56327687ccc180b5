import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { runQuery } from '../../api/queries'
import type { Run } from '../../api/schema'
import { Loaded } from '../../parts/loaded'
import { Nothing, Page } from '../../parts/page'
import { Artifacts } from './artifacts'
import { Graph } from './graph'
import { Actions, Head } from './head'
import { JobPanel } from './job'
import { nextToShow } from './jobs'
import './run.css'

export function RunPage() {
  const { run: id } = useParams({ from: '/inside/runs/$run' })
  const { t } = useTranslation()
  const found = useQuery(runQuery(id))
  const run = found.data
  return (
    <Page
      title={run ? `#${run.number} ${run.title ?? run.commit.slice(0, 10)}` : t('run:title')}
      above={
        run && (
          <Link to="/services/$service" params={{ service: run.service }} search={{ tab: 'runs' }}>
            {run.service}
          </Link>
        )
      }
      actions={run && <Actions run={run} />}
    >
      <Loaded of={found} rows={8}>
        {(loaded) => <Body key={loaded.id} run={loaded} />}
      </Loaded>
    </Page>
  )
}

function Body({ run }: { run: Run }) {
  const { t } = useTranslation()
  const { job: wanted, line } = useSearch({ from: '/inside/runs/$run' })
  const navigate = useNavigate({ from: '/runs/$run' })
  const shown = useRef<string>(undefined)
  const job = run.jobs.find((j) => j.id === wanted || j.name === wanted) ?? nextToShow(run.jobs, shown.current)
  useEffect(() => {
    shown.current = job?.id
  }, [job?.id])
  const go = (id: string): void => void navigate({ search: { job: id }, replace: true, resetScroll: false })
  return (
    <>
      <Head run={run} />
      {run.reason && <p className={run.state === 'failed' ? 'run-reason bad' : 'run-reason'}>{run.reason}</p>}
      {job ? (
        <>
          <Graph jobs={run.jobs} chosen={job} choose={(j) => go(j.id)} />
          <JobPanel
            key={job.id}
            run={run}
            job={job}
            line={line}
            go={(j) => go(j.id)}
            choose={(at) => void navigate({ search: { job: job.id, ...(at !== undefined && { line: at }) }, replace: true, resetScroll: false })}
          />
          <Artifacts run={run} choose={go} />
        </>
      ) : (
        <div className="sheet">
          <Nothing title={t('run:no_jobs')}>{t('run:no_jobs_how')}</Nothing>
        </div>
      )}
    </>
  )
}
