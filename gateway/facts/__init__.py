"""Text or request in, `Facts` out: pure, bounded, cached, and closed where reading fails."""
