"""The CDK's command runs this: `npx aws-cdk@2.1148.1 deploy --all -c stage=dev`. `make synth` does without it."""

import sys

from infra.cloud.synth import EXPECTED_ERRORS, cdk_json, synthesize

try:
    synthesize(cdk_json())
except EXPECTED_ERRORS as error:
    sys.exit(str(error))
