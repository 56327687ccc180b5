// What the run's jobs left, to be taken away.
import { DownloadOutlined } from '@ant-design/icons'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { api, got } from '../../api/client'
import type { Artifact, Run } from '../../api/schema'
import { size as sizeOf } from '../../parts/bytes'
import { Loaded } from '../../parts/loaded'
import { exact, Until } from '../../parts/time'
import './artifacts.css'

const artifactsQuery = (run: string, finished: string | null | undefined) =>
  queryOptions({
    queryKey: ['run', run, 'artifacts', finished ?? ''],
    queryFn: async () => (await got(api.GET('/api/v1/runs/{run}/artifacts', { params: { path: { run } } }))).items,
  })

/** Nothing where nothing was left: most runs leave none beside their release. */
export function Artifacts({ run, choose }: { run: Run; choose: (job: string) => void }) {
  const { t } = useTranslation()
  const found = useQuery(artifactsQuery(run.id, run.finished_at))
  if (!found.isError && !found.data?.length) return null
  return (
    <section className="artifacts" aria-label={t('run:artifact.title')}>
      <h2>{t('run:artifact.title')}</h2>
      <Loaded of={found} rows={2}>
        {(all) => (
          <ul className="sheet">
            {all.map((one) => (
              <Row key={one.job} run={run} artifact={one} choose={choose} />
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  )
}

function Row({ run, artifact, choose }: { run: Run; artifact: Artifact; choose: (job: string) => void }) {
  const { t } = useTranslation()
  const { job, name, file, digest, size, expires_at } = artifact
  return (
    <li>
      <span className="artifacts-file mono">{file}</span>
      <button type="button" className="artifacts-job" onClick={() => choose(job)}>
        {name}
      </button>
      <span className="artifacts-size">{typeof size === 'number' ? sizeOf(size) : t('run:artifact.gone')}</span>
      <span className="artifacts-digest mono" title={digest}>
        {digest.replace(/^sha256:/, '').slice(0, 10)}
      </span>
      <span className="artifacts-kept">
        {expires_at ? (
          <span title={exact(expires_at)}>
            {t('run:artifact.expires')} <Until at={expires_at} />
          </span>
        ) : (
          typeof size === 'number' && t(run.finished_at ? 'run:artifact.for_good' : 'run:artifact.kept')
        )}
      </span>
      <Button
        icon={<DownloadOutlined />}
        href={`/api/v1/runs/${run.id}/jobs/${job}/artifacts`}
        download={file}
        disabled={typeof size !== 'number'}
        aria-label={t('run:artifact.download', { file })}
        title={t('run:artifact.download', { file })}
      />
    </li>
  )
}
