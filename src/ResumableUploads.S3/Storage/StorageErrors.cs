using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using ResumableUploads.Abstractions;

namespace ResumableUploads.S3.Storage;

/// <summary>What the exceptions of the client mean.</summary>
internal static class StorageErrors
{
    /// <summary>Returns whether the object of a request does not exist. A missing bucket is an error.</summary>
    public static bool IsNotFound(Exception exception) =>
        exception is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } e && e.ErrorCode != "NoSuchBucket";

    /// <summary>Returns whether the service has refused a request because of its condition. The request has changed nothing.</summary>
    public static bool IsConditionFailed(Exception exception) => exception is AmazonS3Exception { StatusCode: HttpStatusCode.PreconditionFailed };

    /// <summary>Returns whether the service has refused a request because another one is changing the object.</summary>
    public static bool IsConflict(Exception exception) => exception is AmazonS3Exception { StatusCode: HttpStatusCode.Conflict };

    /// <summary>Returns whether a request has failed in a way that may pass. It may nevertheless have taken effect.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        AmazonServiceException { ErrorCode: "RequestTimeout" } => true,

        // Copies and completions begin their response before they know their result.
        AmazonServiceException { StatusCode: HttpStatusCode.OK } => true,
        AmazonServiceException e => IsConflict(e) || ((int)e.StatusCode is 0 or 408 or 429 or >= 500 && (int)e.StatusCode != 507),
        AmazonClientException => true,
        HttpRequestException or IOException or TimeoutException or OperationCanceledException => true,
        _ => false,
    };

    /// <summary>Returns whether an exception comes from the client or the network.</summary>
    public static bool IsStorageError(Exception exception) =>
        exception is AmazonServiceException or AmazonClientException or HttpRequestException or (IOException and not UploadStoreException) or TimeoutException or OperationCanceledException;

    public static UploadStoreException Create(Exception exception, string action, string bucket, bool isWrite, long? durableOffset = null)
    {
        StoreFailure failure = exception switch
        {
            AmazonServiceException { StatusCode: (HttpStatusCode)507 } => StoreFailure.Full,
            AmazonServiceException { ErrorCode: "QuotaExceeded" or "XMinioStorageFull" or "InsufficientStorage" } => StoreFailure.Full,
            AmazonServiceException { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed } when isWrite => StoreFailure.ReadOnly,
            _ => StoreFailure.Unavailable,
        };
        string reason = exception is AmazonServiceException { ErrorCode: { Length: > 0 } code } e ? $"{(int)e.StatusCode} {code}" : exception.GetType().Name;
        return new UploadStoreException(failure, $"The object storage failed to {action} in bucket '{bucket}' ({reason}): {exception.Message}", durableOffset, exception);
    }
}
