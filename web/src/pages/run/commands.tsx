// What a job's script did, command by command. Each leads to its line in the log.
import { CheckCircleFilled, CloseCircleFilled, ExclamationCircleFilled, LoadingOutlined, MinusCircleOutlined, StopOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job, JobCommand } from '../../api/schema'
import { span, Took } from '../../parts/time'
import { readLine } from './log/search'
import { inSight, standing, type Standing } from './jobs'
import './commands.css'

const SIGNS: Record<Standing, ReactNode> = {
  done: <CheckCircleFilled />,
  failed: <CloseCircleFilled />,
  forgiven: <ExclamationCircleFilled />,
  running: <LoadingOutlined />,
  broken: <StopOutlined />,
  waiting: <MinusCircleOutlined />,
}

export function Commands({ job, show }: { job: Job; show: (line: number) => void }) {
  const { t } = useTranslation()
  const [all, setAll] = useState(false)
  const commands = job.commands ?? []
  if (commands.length === 0) return null
  const [from, to] = all ? [0, commands.length] : inSight(commands, job)
  const left = commands.length - (to - from)
  return (
    <section className="sheet commands" aria-label={t('run:command.title')}>
      <ol start={from + 1}>
        {commands.slice(from, to).map((command, n) => (
          <Row key={from + n} number={from + n + 1} command={command} how={standing(command, commands[from + n + 1], job)} show={show} />
        ))}
      </ol>
      {(left > 0 || all) && (
        <Button type="link" size="small" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t('run:command.fewer') : t('run:command.all', { count: commands.length })}
        </Button>
      )}
    </section>
  )
}

function Row({ number, command, how, show }: { number: number; command: JobCommand; how: Standing; show: (line: number) => void }) {
  const { t } = useTranslation()
  const { line } = command
  const text = readLine(command.text)
  const inside = (
    <>
      <span className="commands-no">{number}</span>
      <span className={`commands-sign ${how}`} title={t(`run:command.${how}`)}>
        {SIGNS[how]}
        <span className="visually-hidden">{t(`run:command.${how}`)}</span>
      </span>
      <code className="commands-text" title={text}>
        {text}
      </code>
      {command.after && <span className="commands-after">after_script</span>}
      <span className="commands-exit">{typeof command.exit_code === 'number' && command.exit_code !== 0 && t('run:log.exit', { code: command.exit_code })}</span>
      <span className="commands-took">
        {typeof command.duration_ms === 'number' ? (command.duration_ms === 0 ? `< ${span(1)}` : span(command.duration_ms)) : how === 'running' ? <Took from={command.started_at} /> : ''}
      </span>
    </>
  )
  return (
    <li>
      {typeof line === 'number' ? (
        <button type="button" className={`commands-row ${how}`} onClick={() => show(line)}>
          {inside}
        </button>
      ) : (
        <div className={`commands-row ${how}`}>{inside}</div>
      )}
    </li>
  )
}
