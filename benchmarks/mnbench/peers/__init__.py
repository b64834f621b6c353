"""Others' runtimes, each in an environment of its own: installed, given our weights by its own tool, measured.

The names below are the package's public face; they are imported when first used.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.peers.converting import convert
    from mnbench.peers.environments import installed_peers, peers_folder, python_of
    from mnbench.peers.installing import install_peer, remove_environment
    from mnbench.peers.peer import PEERS, Peer, peer_named

__all__ = [
    "PEERS",
    "Peer",
    "convert",
    "install_peer",
    "installed_peers",
    "peer_named",
    "peers_folder",
    "python_of",
    "remove_environment",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.peers.converting": ("convert",),
        "mnbench.peers.environments": ("installed_peers", "peers_folder", "python_of"),
        "mnbench.peers.installing": ("install_peer", "remove_environment"),
        "mnbench.peers.peer": ("PEERS", "Peer", "peer_named"),
    },
)
