import { ClockCircleOutlined, GlobalOutlined, ToolOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import { memo, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { OverviewService, ServiceKind } from '../../api/schema'
import { Cell } from './cell'

const KIND: Record<ServiceKind, ReactNode> = { web: <GlobalOutlined />, worker: <ToolOutlined />, cron: <ClockCircleOutlined /> }

interface RowProps {
  service: OverviewService
  columns: readonly string[]
  /** Environments whose sites are shown, with spaces between. */
  open: string
  toggle: (service: string, env: string) => void
}

/** Drawn again only when something about it changed: scrolling changes nothing. */
export const Row = memo(function Row({ service, columns, open, toggle }: RowProps) {
  const { t } = useTranslation()
  const opened = open.split(' ')
  const cells = new Map(service.environments.map((cell) => [cell.name, cell]))
  return (
    <>
      <div role="rowheader" className="ov-name">
        <Link to="/services/$service" params={{ service: service.name }} tabIndex={-1}>
          {service.name}
        </Link>
        <small>
          {service.kind && (
            <span>
              {KIND[service.kind]} {t(`service_kind.${service.kind}`)}
            </span>
          )}
          <span className="ov-cut">{service.owner}</span>
        </small>
      </div>
      {columns.map((env) => (
        <div role="cell" key={env} className={cells.has(env) ? 'ov-td' : 'ov-td ov-bare'} data-env={env}>
          <span className="ov-env" aria-hidden="true">
            {env}
          </span>
          <Cell cell={cells.get(env)} open={opened.includes(env)} toggle={() => toggle(service.name, env)} />
        </div>
      ))}
    </>
  )
})
