// The jobs of a run: stages from left to right, one after the other.
import { RightOutlined } from '@ant-design/icons'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../api/schema'
import { Took } from '../../parts/time'
import { stagesOf } from './jobs'
import { StateMark } from './marks'
import './graph.css'

/** The packaging has no name of its own in a pipeline file. */
export function useJobName(): (job: Pick<Job, 'kind' | 'name'>) => string {
  const { t } = useTranslation()
  return (job) => (job.kind === 'package' ? t('run:package') : job.name)
}

export function Graph({ jobs, chosen, choose }: { jobs: readonly Job[]; chosen: Job | undefined; choose: (job: Job) => void }) {
  const { t } = useTranslation()
  const name = useJobName()
  const box = useRef<HTMLDivElement>(null)
  const stages = stagesOf(jobs)
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [chosen?.id])
  return (
    <section ref={box} className="graph" aria-label={t('run:graph')}>
      <h2 className="visually-hidden">{t('run:graph')}</h2>
      {stages.map((stage, n) => (
        <div key={stage.name} className="graph-stage">
          {n > 0 && <RightOutlined className="graph-arrow" aria-hidden />}
          <div className="graph-column">
            <h3>{stage.jobs.every((j) => j.kind === 'package') ? t('run:package_stage') : stage.name}</h3>
            {stage.jobs.map((job) => (
              <button
                key={job.id}
                type="button"
                className={`graph-job ${job.state}${job.allow_failure ? ' forgiven' : ''}`}
                aria-current={job.id === chosen?.id ? 'true' : undefined}
                onClick={() => choose(job)}
              >
                <span className="graph-name" title={name(job)}>
                  {name(job)}
                </span>
                <span className="graph-facts">
                  <StateMark state={job.state} forgiven={job.allow_failure} />
                  {job.started_at && <Took from={job.started_at} to={job.finished_at} />}
                </span>
              </button>
            ))}
          </div>
        </div>
      ))}
    </section>
  )
}
