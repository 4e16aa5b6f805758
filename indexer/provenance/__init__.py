"""What a file itself says of where it comes from: C2PA manifests, IPTC source types, parameters of generators."""
