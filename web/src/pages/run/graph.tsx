// The jobs of a run: stages from left to right, and lines from each job to those that need it.
import { RightOutlined } from '@ant-design/icons'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../api/schema'
import { StateMark } from '../../parts/state'
import { Took } from '../../parts/time'
import { type Edge, edgesOf, pathOf } from './edges'
import { stagesOf } from './jobs'
import './graph.css'

/** With more in a stage, a job has one line. */
const ROOMY = 6

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
  const edges = useMemo(() => edgesOf(jobs), [jobs])
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [chosen?.id])
  const dense = stages.some((stage) => stage.jobs.length > ROOMY)
  const classes = ['graph', dense && 'dense', edges.length > 0 && 'lined'].filter(Boolean).join(' ')
  return (
    <section ref={box} className={classes} aria-label={t('run:graph')}>
      <h2 className="visually-hidden">{t('run:graph')}</h2>
      <div className="graph-stages">
        <Lines edges={edges} chosen={chosen?.id} shape={stages.map((s) => s.jobs.map((j) => j.id).join()).join(' ')} />
        {stages.map((stage, n) => (
          <div key={stage.name} className="graph-stage">
            {n > 0 && <RightOutlined className="graph-arrow" aria-hidden />}
            <div className="graph-column">
              <h3 title={stage.name}>{stage.jobs.every((j) => j.kind === 'package') ? t('run:package_stage') : stage.name}</h3>
              {stage.jobs.map((job) => (
                <button
                  key={job.id}
                  type="button"
                  data-job={job.id}
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
      </div>
    </section>
  )
}

/** Behind the jobs, where they stand once they are laid out. What the lines say stands in words beside the chosen job. */
function Lines({ edges, chosen, shape }: { edges: readonly Edge[]; chosen: string | undefined; shape: string }) {
  const svg = useRef<SVGSVGElement>(null)
  const [paths, setPaths] = useState<ReadonlyMap<Edge, string>>(new Map())
  useLayoutEffect(() => {
    const inside = svg.current?.parentElement
    if (!inside || edges.length === 0) return
    const measure = (): void => {
      const jobs = new Map<string, HTMLElement>()
      for (const job of inside.querySelectorAll<HTMLElement>('[data-job]')) jobs.set(job.dataset.job ?? '', job)
      const at = (job: HTMLElement) => ({ left: job.offsetLeft, top: job.offsetTop, width: job.offsetWidth, height: job.offsetHeight })
      const found = new Map<Edge, string>()
      for (const edge of edges) {
        const [a, b] = [jobs.get(edge.from), jobs.get(edge.to)]
        if (a && b) found.set(edge, pathOf(at(a), at(b)))
      }
      setPaths(found)
    }
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(inside)
    return () => watch.disconnect()
  }, [edges, shape])
  if (edges.length === 0) return null
  const touches = (edge: Edge): boolean => edge.from === chosen || edge.to === chosen
  return (
    <svg ref={svg} className="graph-lines" aria-hidden>
      {[...edges]
        .sort((a, b) => Number(touches(a)) - Number(touches(b)))
        .map((edge) => (
          <path key={`${edge.from} ${edge.to}`} d={paths.get(edge)} className={touches(edge) ? 'near' : undefined} />
        ))}
    </svg>
  )
}
