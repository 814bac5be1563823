// A mesh of two clusters. The document is typed: a wrong key is an error of the compiler.
import * as mesh from "mesh-components";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

const federation = new mesh.MeshFederation("mesh", {
    mesh: {
        id: "example",
        istio: { install: "none" },
        trust: { protectRoot: false },
        clusters: [
            { name: "east", network: "east-network" },
            { name: "west", network: "west-network", eastWest: { minReplicas: 2 } },
        ],
    },
    kubeconfigs: {
        east: config.requireSecret("eastKubeconfig"),
        west: config.requireSecret("westKubeconfig"),
    },
});

export const gateways = federation.gateways;
export const edges = federation.edges;
