"""The modules that run on the Pi, importable here."""

import importlib.util
import sys

import ansible.module_utils
import pytest

from lanpi import paths

# Where ansible-playbook finds them through ANSIBLE_MODULE_UTILS.
ansible.module_utils.__path__.append(str(paths.playbooks() / "module_utils"))


@pytest.fixture(scope="session")
def pi_module():
    """Load one of playbooks/library by name."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, paths.playbooks() / "library" / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load
