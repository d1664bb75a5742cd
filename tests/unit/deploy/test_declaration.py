"""What a role may declare: the schema names file, entry and key of each mistake."""

import pytest

from lanpi.deploy.declaration import parse_declaration
from lanpi.errors import LanpiError

FILE = "playbooks/roles/im/defaults/main.yml"


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"im_units": [{"name": "ejabberd", "state": "started"}]}, "im_units[0]: 'ejabberd' is not the name of a unit"),
        ({"im_units": [{"name": "a.service", "state": "up"}]}, "im_units[0].state: Input should be 'started'"),
        ({"im_files": [{"path": "/a", "mod": "0600"}]}, "im_files[0].mod: Extra inputs are not permitted"),
        ({"im_files": [{"path": "/a", "mode": "600"}]}, "im_files[0].mode: String should match pattern"),
        ({"im_files": [{"path": "/a", "mode": 384}]}, "im_files[0].mode: Input should be a valid string"),
        ({"im_files": [{}]}, "im_files[0].path: Field required"),
        ({"im_pakages": []}, "im_pakages: Extra inputs are not permitted"),
        ({"redis_packages": []}, "redis_packages: variables of this role begin with im_"),
        ({"im_backup": [{"name": "a", "kind": "files"}]}, "im_backup[0]: an item has either a path or a database"),
        (None, "the file must hold variables"),
    ],
)
def test_a_mistake_is_named_with_its_place(raw, says):
    with pytest.raises(LanpiError) as refused:
        parse_declaration("im", raw, FILE)
    assert str(refused.value).startswith(f"{FILE}: ")
    assert says in str(refused.value)


def test_every_mistake_is_named_at_once():
    with pytest.raises(LanpiError) as refused:
        parse_declaration("im", {"im_files": [{"mode": "0644"}, {"path": "/a", "mode": "9"}]}, FILE)
    assert "im_files[0].path" in str(refused.value)
    assert "im_files[1].mode" in str(refused.value)
