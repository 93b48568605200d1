// What another sensitivity would have made of the buffers and windows that are known: the rules of habitd, applied again.

export function similarity(distance) {
    const percent = 100 * 0.9 ** (distance * distance);
    return distance <= 1 ? Math.max(90, Math.round(percent)) : Math.min(89, Math.floor(percent));
}

function windowCounts(distance, alarm, settings) {
    const below = similarity(distance) < settings.threshold && (!alarm.ordered || distance > alarm.line);
    return { below, counts: below || (alarm.ordered && distance > alarm.hold) };
}

/** Goes through recent points with a sensitivity: buffers below the threshold, windows beyond the line, alarms raised. */
export function replay(points, machine, sensitivity) {
    const { settings, alarm } = machine;
    const persistence = (alarm.windows - 1) * settings.window + 1;
    const sum = { judged: points.length, below: 0, windows: 0, strange: 0, raised: 0, open: false };
    let row = 0;

    for (const point of points) {
        sum.below += similarity(point.distance * sensitivity) < settings.threshold;
        if (point.average_distance == null)
            continue;
        const distance = point.average_distance * sensitivity;
        const { below, counts } = windowCounts(distance, alarm, settings);
        sum.windows++;
        sum.strange += below;
        if (sum.open) {
            sum.open = similarity(distance) < settings.clear;
            row = sum.open ? row : 0;
            continue;
        }
        row = counts ? row + 1 : 0;
        if (below && row >= persistence) {
            sum.raised++;
            sum.open = true;
        }
    }
    return sum;
}

/** How many stored anomalies never went beyond the line with this sensitivity: they would not have been raised. */
export function spared(anomalies, machine, sensitivity) {
    return anomalies.filter(a => !windowCounts(a.distance * sensitivity, machine.alarm, machine.settings).below).length;
}
