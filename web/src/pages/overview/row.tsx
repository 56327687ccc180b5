import { ClockCircleOutlined, GlobalOutlined, ToolOutlined } from '@ant-design/icons'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { OverviewService, ServiceKind } from '../../api/schema'
import { Cell } from './cell'

const KIND: Record<ServiceKind, ReactNode> = { web: <GlobalOutlined />, worker: <ToolOutlined />, cron: <ClockCircleOutlined /> }

export function Row({ service, columns, isOpen, toggle }: {
  service: OverviewService
  columns: readonly string[]
  isOpen: (env: string) => boolean
  toggle: (env: string) => void
}) {
  const { t } = useTranslation()
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
          <Cell cell={cells.get(env)} open={isOpen(env)} toggle={() => toggle(env)} />
        </div>
      ))}
    </>
  )
}
