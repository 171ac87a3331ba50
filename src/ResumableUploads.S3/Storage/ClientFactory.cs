using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace ResumableUploads.S3.Storage;

/// <summary>Creates the client of a store. Without credentials, the SDK finds them.</summary>
internal static class ClientFactory
{
    private const string DefaultSigningRegion = "us-east-1";

    /// <summary>The rate below which the request of a large segment fails, in bytes per second.</summary>
    private const int MinRate = 256 * 1024;

    private static readonly TimeSpan MinTimeout = TimeSpan.FromSeconds(60);

    public static AmazonS3Client Create(S3UploadStoreOptions options, AWSCredentials? credentials = null)
    {
        var config = new AmazonS3Config
        {
            // The store retries on its own: a conditional write must not be repeated without looking at what it has done.
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            ThrottleRetries = false,
            Timeout = MinTimeout + TimeSpan.FromSeconds(options.SegmentSize / MinRate),

            // Not every service knows the checksums that the SDK adds by default. Requests are signed with the SHA-256 of the body.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.ServiceUrl is { } url)
        {
            config.ServiceURL = url;
            config.ForcePathStyle = true;
            config.AuthenticationRegion = options.Region ?? DefaultSigningRegion;
        }
        else if (options.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        return credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }
}
