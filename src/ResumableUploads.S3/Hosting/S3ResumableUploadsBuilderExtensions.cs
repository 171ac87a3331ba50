using Microsoft.Extensions.Logging;
using ResumableUploads.S3;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps resumable uploads in S3-compatible object storage.</summary>
public static class S3ResumableUploadsBuilderExtensions
{
    /// <summary>
    /// Keeps uploads in a bucket, with the region and the credentials that the AWS SDK finds. Replaces a store that was chosen before.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="bucket">The name of the bucket. It must exist.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="bucket"/> is empty.</exception>
    public static IResumableUploadsBuilder UseS3(this IResumableUploadsBuilder builder, string bucket)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(bucket);
        return builder.UseS3(options => options.Bucket = bucket);
    }

    /// <summary>Keeps uploads in S3-compatible object storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Configures the store.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">An option is missing or out of range. The message names it.</exception>
    public static IResumableUploadsBuilder UseS3(this IResumableUploadsBuilder builder, Action<S3UploadStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new S3UploadStoreOptions();
        configure(options);
        options.Validate();
        return builder.UseStore(services => new S3UploadStore(options, services.GetService<TimeProvider>(), services.GetService<ILogger<S3UploadStore>>()));
    }
}
