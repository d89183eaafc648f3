"""What `metricgate demo` creates: a real project under Git and DVC, with a pull request that makes its model worse."""
