"""FSD: from a commit to healthy tasks on Amazon ECS. The version lives in the package metadata."""
