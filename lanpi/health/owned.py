"""Whom what the services need must belong to; what is wrong here keeps a server from starting or a key from secrecy."""

OWNED = (
    # Path, owner, group, mode; an empty text means that any will do (lanpi/pi/read/ownership.py).
    ("/etc/lanpi/secrets.json", "root", "root", "0600"),
    ("/etc/lanpi/backup.key", "root", "root", "0600"),
    # templates/usr/lib/lanpi/tls.j2, place.
    ("/etc/lanpi/tls", "root", "root", "0755"),
    ("/etc/lanpi/tls/ca.key", "root", "root", "0600"),
    ("/etc/lanpi/tls/ca.crt", "root", "root", "0644"),
    ("/etc/lanpi/tls/server.pem", "root", "ejabberd", "0640"),
    # Debian's packages and the roles im and redis.
    ("/etc/ejabberd/ejabberd.yml", "ejabberd", "ejabberd", "0600"),
    ("/var/lib/ejabberd", "ejabberd", "", ""),
    ("/var/lib/ejabberd/ejabberd.db", "ejabberd", "ejabberd", ""),
    ("/var/lib/ejabberd/ejabberd.db-wal", "ejabberd", "ejabberd", ""),
    ("/var/lib/ejabberd/ejabberd.db-shm", "ejabberd", "ejabberd", ""),
    ("/var/log/ejabberd", "ejabberd", "", ""),
    ("/etc/redis/redis.conf", "redis", "redis", "0640"),
    ("/var/lib/redis", "redis", "", ""),
)
