-- All that must be durable of one machine (?1 = its ID), as one line: what undisturbed habitd has after each step of a script, and
-- what a disk after a power cut must equal. Times and row numbers are left out, and what a
-- flush or the passing of time writes.
SELECT m.settings
  || ' phase ' || s.phase || ' learned in it ' || s.phase_learned || ' anomaly ' || (s.anomaly <> 0)
  || ' is the open one ' || (s.anomaly = coalesce((SELECT max(id) FROM anomaly WHERE machine = m.id AND cleared = 0), 0))
  || ' knowledge ' || coalesce((SELECT hex(bytes) FROM knowledge WHERE machine = m.id), 'none')
  || ' marks ' || coalesce((SELECT group_concat(source || '/' || boot || ':' || high || ':' || hex(seen)) FROM
       (SELECT * FROM mark WHERE machine = m.id ORDER BY source, boot)), 'none')
  || ' kept ' || (SELECT count(*) || ' of ' || coalesce(sum(length(samples)), 0) FROM commissioning WHERE machine = m.id)
  || ' snapshots ' || coalesce((SELECT group_concat(reason || ':' || note || ':' || hex(bytes)) FROM
       (SELECT * FROM snapshot WHERE machine = m.id AND reason <> 'daily' ORDER BY id)), 'none')
  || ' anomalies ' || coalesce((SELECT group_concat(event || ':' || (cleared <> 0) || ':' || similarity || ':' || learned || ':' || (undo <> 0)) FROM
       (SELECT * FROM anomaly WHERE machine = m.id ORDER BY id)), 'none')
  || ' evidence ' || (SELECT count(*) || ' of ' || coalesce(sum(length(samples)), 0) FROM evidence WHERE machine = m.id)
  || ' muted ' || coalesce((SELECT who || ':' || why FROM mute WHERE machine = m.id), 'not')
  || ' said ' || coalesce((SELECT group_concat(json_extract(payload, '$.event')) FROM
       (SELECT * FROM event WHERE topic = m.name || '/anomaly' ORDER BY id)), 'nothing')
  || ' counted ' || coalesce((SELECT sum(learned) || ' and ' || sum(anomalies) FROM hour WHERE machine = m.id), 'nothing')
FROM machine m LEFT JOIN state s ON s.machine = m.id WHERE m.name = ?1
