"""Detection quality on recordings of real machines, scored from outside by the project's own scorer."""
import json
import os
import subprocess
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.environ.get('HABIT_BUILD', os.path.join(ROOT, 'build'))
SHARED = os.environ.get('HABIT_SHARED', os.path.join(ROOT, '..', 'shared'))
SCORER = os.path.join(SHARED, 'bench', 'score.py')
SETS = ('cwru-bearing', 'fan-low', 'fan-multi')


@pytest.fixture(scope='module')
def scores(tmp_path_factory):
    if not os.path.exists(SCORER):
        pytest.skip(f'the recordings and their scorer are not here ({SHARED}): quality is not measured')
    path = tmp_path_factory.mktemp('quality') / 'scores.json'
    subprocess.run([sys.executable, SCORER, '--habit', os.path.join(BUILD, 'cli', 'habit'), '--learn', '60',
                    '--protocol', 'first', '--only', *SETS, '--json', str(path)], check=True)
    return {row['set']: row for row in json.loads(path.read_text())}


@pytest.mark.parametrize('name', SETS)
def test_sixty_buffers_are_enough_on_clear_machines(scores, name):
    row = scores[name]
    assert row['learned'] == 60
    assert row['auc'] >= 0.99
    assert row['fa'] <= 0.08
    assert row['dr'] >= 0.95
