"""The programs around a backup, and what becomes of it when they fail."""

import pytest


class Steps:
    def __init__(self):
        self.said = []

    def step(self, text):
        self.said.append(text)


@pytest.fixture
def work(program):
    return program("work")


def script(tmp_path, name, body):
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return str(path)


@pytest.fixture
def declared(tmp_path):
    write = f"echo $LANPI_BACKUP >> {tmp_path}/hooked"
    return {"hook_before": script(tmp_path, "before", write), "hook_after": script(tmp_path, "after", write)}


def hooked(tmp_path):
    path = tmp_path / "hooked"
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize(("failures", "how"), [([], "done"), (["/mnt: full"], "failed")])
def test_both_run_and_the_second_learns_how_it_went(work, declared, tmp_path, failures, how):
    with work._hooks(declared, Steps(), failures):
        assert hooked(tmp_path) == ["before"]
    assert hooked(tmp_path) == ["before", how]


def test_the_one_after_runs_when_the_backup_breaks_off_and_does_not_hide_why(work, declared, tmp_path, program):
    declared["hook_after"] = script(tmp_path, "after", f"echo $LANPI_BACKUP >> {tmp_path}/hooked; exit 1")
    problem = program("common").Problem
    with pytest.raises(problem, match="no space"), work._hooks(declared, Steps(), []):
        raise problem("no space")
    assert hooked(tmp_path) == ["before", "failed"]


def test_no_backup_is_made_when_the_one_before_fails(work, declared, tmp_path, program):
    declared["hook_before"] = script(tmp_path, "before", "echo the bath is running over >&2; exit 3")
    with pytest.raises(program("common").Problem, match="the bath is running over"), work._hooks(declared, Steps(), []):
        pytest.fail("it went on")


def test_one_that_fails_after_is_a_failure(work, declared, tmp_path):
    failures = []
    declared["hook_after"] = script(tmp_path, "after", "exit 1")
    with work._hooks(declared, Steps(), failures):
        pass
    assert len(failures) == 1


def test_a_hook_that_cannot_run_says_what_to_do(work, declared, tmp_path, program):
    (tmp_path / "before").chmod(0o600)
    with pytest.raises(program("common").Problem) as raised, work._hooks(declared, Steps(), []):
        pass
    assert raised.value.next_step == f"chmod +x {tmp_path}/before"
