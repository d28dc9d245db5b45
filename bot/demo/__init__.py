"""The sample that `tuppence demo` tells its story on: a repository, a pull request, 14 days of use."""
