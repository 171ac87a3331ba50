using Amazon.Runtime;
using Amazon.S3;

namespace ResumableUploads.CrashHost;

/// <summary>Selects a store on object storage, with blocks that are small and durable soon.</summary>
internal static class ObjectStore
{
    private const int BlockSize = 64 * 1024;
    private static readonly TimeSpan SyncInterval = TimeSpan.FromMilliseconds(200);

    public static void Add(IResumableUploadsBuilder uploads, IConfiguration configuration)
    {
        if (configuration["AzureBlobs"] is { } connectionString)
        {
            uploads.UseAzureBlobs(connectionString, configuration["Container"]!, static options =>
            {
                options.CreateContainer = true;
                options.BlockSize = BlockSize;
                options.SyncInterval = SyncInterval;
            });
        }
        else if (configuration["S3"] is { } serviceUrl)
        {
            uploads.UseS3(options =>
            {
                options.Client = new AmazonS3Client(
                    new BasicAWSCredentials("test", "testtest"),
                    new AmazonS3Config
                    {
                        ServiceURL = serviceUrl,
                        AuthenticationRegion = "us-east-1",
                        ForcePathStyle = true,
                        MaxErrorRetry = 0,
                        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
                    });
                options.Bucket = configuration["Bucket"]!;
                options.SegmentSize = configuration.GetValue("SegmentSize", BlockSize);
                options.MaxBufferedBytes = configuration.GetValue("MaxBufferedBytes", options.MaxBufferedBytes);
                options.SyncInterval = SyncInterval;
            });
        }
    }
}
