"""No secret leaves in a report."""

import json
import tarfile
from pathlib import Path

from lanpi.facts.records import build_record
from lanpi.health.evidence import Evidence
from lanpi.health.report import build, write
from lanpi.logs.read import Entry
from lanpi.pi.logs import secrets

HEALTHY = json.loads((Path(__file__).parents[2] / "data" / "doctor" / "healthy.json").read_text("utf-8"))


def test_no_secret_is_in_any_member(tmp_path):
    known = json.dumps({"redis_password": "vTQUt_liAPu8"})
    line = secrets.redactor(secrets.values(known))("AUTH vTQUt_liAPu8")
    HEALTHY["facts"]["config_text"] = HEALTHY["readings"]["config_text"] = (
        'domain: doc.local\nbackup:\n  password: "S3cretS3cret"\n'
    )
    files = build("pi", build_record(Evidence, HEALTHY, "evidence"), [Entry(1.0, "redis", "info", line)])
    write(tmp_path / "r.tar.gz", files)
    assert (tmp_path / "r.tar.gz").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "r.tar.gz") as archive:
        texts = {member.name: archive.extractfile(member).read().decode() for member in archive.getmembers()}
    assert {Path(name).name for name in texts} == {
        "lanpi.txt", "facts.json", "evidence.json", "doctor.json", "lanpi.yml", "logs.txt",
    }  # fmt: skip
    for name, text in texts.items():
        assert "vTQUt_liAPu8" not in text, name
        assert "S3cretS3cret" not in text, name
    assert "domain: doc.local" in texts["lanpi-report/lanpi.yml"]
    json.loads(texts["lanpi-report/doctor.json"])
