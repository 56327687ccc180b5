import { ArrowDownOutlined, ArrowUpOutlined, CheckOutlined, CopyOutlined, DownloadOutlined, FullscreenExitOutlined, FullscreenOutlined, VerticalAlignBottomOutlined, VerticalAlignTopOutlined } from '@ant-design/icons'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../../api/schema'
import { size } from '../../../parts/bytes'
import { count } from '../../../parts/marks'
import { say } from '../../../parts/toast'
import { copyText } from '../../../parts/copy'
import type { LoadedLog } from './load'
import { readLine } from './search'
import { lineIn, type Searching } from './search-state'

/** A clipboard takes no more in comfort. */
const COPIED_BYTES = 5_000_000

interface Props {
  run: string
  job: Pick<Job, 'id'>
  attempt: number | undefined
  /** Of the file that is downloaded. */
  name: string
  loaded: LoadedLog
  search: Searching
  wrap: boolean
  setWrap: (on: boolean) => void
  /** To a line, from 0; the nearest there is. */
  jump: (line: number) => void
  tall: boolean
  setTall: (on: boolean) => void
}

export function Bar({ run, job, attempt, name, loaded, search, wrap, setWrap, jump, tall, setTall }: Props) {
  const { t } = useTranslation()
  const { log, state } = loaded
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    if (log.paged) return
    const text = log.slice(0, log.lines).split('\n').map(readLine).join('\n')
    if (!(await copyText(text))) return say(t('run:log.no_clipboard'), { bad: true })
    setCopied(true)
    setTimeout(() => setCopied(false), 2_000)
  }
  const found =
    search.word === '' || lineIn(search.word) !== undefined
      ? ''
      : search.failed
        ? t('run:log.search_failed')
        : search.hits.length === 0
        ? t(search.busy ? 'run:log.searching' : 'run:log.found_none')
        : t(search.many || search.busy ? 'run:log.found_many' : 'run:log.found', { at: count(search.index + 1), of: count(search.hits.length) })
  return (
    <div className="log-bar">
      <div className="log-search" role="search">
        <Input
          ref={search.input}
          value={search.word}
          allowClear
          placeholder={t('run:log.search')}
          aria-label={t('run:log.search')}
          onChange={(event) => search.setWord(event.target.value)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return
            const line = lineIn(search.word)
            if (event.key === 'Enter' && line !== undefined) jump(line - 1)
            else if (event.key === 'Enter') search.step(event.shiftKey ? -1 : 1)
            else if (event.key === 'Escape') search.setWord('')
          }}
        />
        <Button
          className={search.exact ? 'log-toggle on' : 'log-toggle'}
          aria-pressed={search.exact}
          aria-label={t('run:log.case')}
          title={t('run:log.case')}
          onClick={() => search.setExact(!search.exact)}
        >
          Aa
        </Button>
        <Button icon={<ArrowUpOutlined />} aria-label={t('run:log.previous')} title={t('run:log.previous')} disabled={search.hits.length === 0} onClick={() => search.step(-1)} />
        <Button icon={<ArrowDownOutlined />} aria-label={t('run:log.next')} title={t('run:log.next')} disabled={search.hits.length === 0} onClick={() => search.step(1)} />
        <span className="log-found" role="status">
          {found}
        </span>
      </div>
      <div className="log-tools">
        <span className="log-size">
          {t('run:log.count', { count: log.lines, n: count(log.lines) })} · {size(log.next)}
          {state === 'loading' && ` · ${t('waiting')}`}
          {state === 'following' && ` · ${t('run:log.live')}`}
        </span>
        <Button icon={<VerticalAlignTopOutlined />} aria-label={t('run:log.to_first')} title={t('run:log.to_first')} disabled={log.lines === 0} onClick={() => jump(0)} />
        <Button icon={<VerticalAlignBottomOutlined />} aria-label={t('run:log.to_last')} title={t('run:log.to_last')} disabled={log.lines === 0} onClick={() => jump(log.lines - 1)} />
        <Button className={wrap ? 'log-toggle on' : 'log-toggle'} aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          {t('run:log.wrap')}
        </Button>
        <Button
          icon={copied ? <CheckOutlined /> : <CopyOutlined />}
          aria-label={copied ? t('once.copied') : t('run:log.copy')}
          title={log.paged || log.size > COPIED_BYTES ? t('run:log.too_long') : t('run:log.copy')}
          disabled={log.size === 0 || log.paged || log.size > COPIED_BYTES}
          onClick={() => void copy()}
        />
        <Button
          icon={<DownloadOutlined />}
          href={`/api/v1/runs/${run}/jobs/${job.id}/log${attempt === undefined ? '' : `?attempt=${attempt}`}`}
          download={name}
          aria-label={t('run:log.download')}
          title={t('run:log.download')}
          disabled={log.size === 0}
        />
        <Button
          icon={tall ? <FullscreenExitOutlined /> : <FullscreenOutlined />}
          aria-label={t(tall ? 'run:log.small' : 'run:log.tall')}
          title={t(tall ? 'run:log.small' : 'run:log.tall')}
          onClick={() => setTall(!tall)}
        />
      </div>
    </div>
  )
}
