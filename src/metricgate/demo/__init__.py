"""What `metricgate demo` creates: a real project with Git and DVC, and a pull request that makes its model worse."""
