"""AWS's list prices in us-east-1, in US dollars, as of November 2026. All of them are here, and nowhere else.

From memory of AWS's price pages, which are named with each; no free tier is taken off.
"""

from typing import NamedTuple


class Price(NamedTuple):
    dollars: float
    per: float
    page: str

    def of(self, amount: float) -> float:
        return amount / self.per * self.dollars


MILLION = 1_000_000

# https://aws.amazon.com/cloudwatch/pricing/
ALARM_METRIC = Price(0.10, 1, "cloudwatch")  # a month, for each metric that an alarm looks at; 60-second periods
CUSTOM_METRIC = Price(0.30, 1, "cloudwatch")  # a month, for the hours in which it gets data
PUT_METRIC_DATA = Price(0.01, 1000, "cloudwatch")
DASHBOARD = Price(3.00, 1, "cloudwatch")  # a month; an account's first three of at most 50 metrics are free
DASHBOARD_FREE_METRICS = 50
LOGS_INGESTED = Price(0.50, 1, "cloudwatch")  # a GB

# https://aws.amazon.com/sqs/pricing/
SQS_REQUEST = Price(0.40, MILLION, "sqs")  # of up to 64 KB

# https://aws.amazon.com/lambda/pricing/
LAMBDA_REQUEST = Price(0.20, MILLION, "lambda")
LAMBDA_GB_SECOND = {"x86_64": Price(0.0000166667, 1, "lambda"), "arm64": Price(0.0000133334, 1, "lambda")}

# https://aws.amazon.com/dynamodb/pricing/on-demand/
DYNAMODB_READ = Price(0.125, MILLION, "dynamodb")
DYNAMODB_WRITE = Price(0.625, MILLION, "dynamodb")

# https://aws.amazon.com/sns/pricing/
SNS_REQUEST = Price(0.50, MILLION, "sns")

# https://aws.amazon.com/kms/pricing/
KMS_KEY = Price(1.00, 1, "kms")  # a month, of a customer managed one

# https://aws.amazon.com/config/pricing/
CONFIGURATION_ITEM = Price(0.003, 1, "config")
