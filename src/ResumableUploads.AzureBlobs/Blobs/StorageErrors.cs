using System.Net.Sockets;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs.Models;
using ResumableUploads.Abstractions;

namespace ResumableUploads.AzureBlobs.Blobs;

/// <summary>What the exceptions of the client library mean.</summary>
internal static class StorageErrors
{
    /// <summary>Returns whether the request may have been carried out although it failed: the response is lost, or says that the service failed.</summary>
    public static bool IsAmbiguous(Exception e) => e switch
    {
        RequestFailedException { Status: 0 or 408 or >= 500 } => true,
        RequestFailedException or AuthenticationFailedException or UploadStoreException => false,
        AggregateException aggregate => aggregate.InnerExceptions.All(IsAmbiguous),
        OperationCanceledException or IOException or HttpRequestException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Returns whether the service has refused a request because of its conditions, a lease, or a blob that exists.</summary>
    public static bool IsConflict(Exception e) => e is RequestFailedException { Status: 409 or 412 or 304 } failure
        && failure.ErrorCode != BlobErrorCode.ContainerBeingDeleted && failure.ErrorCode != BlobErrorCode.ContainerDisabled && !IsFull(failure)
        && failure.ErrorCode != "BlobImmutableDueToPolicy" && failure.ErrorCode != BlobErrorCode.CannotVerifyCopySource;

    public static bool IsNotFound(Exception e) => e is RequestFailedException { Status: 404 } failure && failure.ErrorCode != BlobErrorCode.ContainerNotFound;

    /// <summary>Returns whether the storage has failed, as opposed to a bug or a cancellation of the caller.</summary>
    public static bool IsStorageFailure(Exception e, CancellationToken cancellationToken) =>
        !(e is OperationCanceledException && cancellationToken.IsCancellationRequested)
        && (IsAmbiguous(e) || e is RequestFailedException or AuthenticationFailedException
            || (e is AggregateException aggregate && aggregate.InnerExceptions.All(inner => IsStorageFailure(inner, cancellationToken))));

    /// <summary>Converts an exception of the client library.</summary>
    /// <param name="e">The exception.</param>
    /// <param name="operation">What the store did, for the message.</param>
    /// <param name="durableOffset">The durable offset, or null if it is unknown.</param>
    public static UploadStoreException ToStoreException(Exception e, string operation, long? durableOffset = null)
    {
        (StoreFailure failure, string reason) = e switch
        {
            RequestFailedException full when IsFull(full) => (StoreFailure.Full, "the blob cannot take more blocks or bytes"),
            RequestFailedException { ErrorCode: "BlobImmutableDueToPolicy" } => (StoreFailure.ReadOnly, "an immutability policy protects the blob"),
            RequestFailedException { Status: 403 } => (StoreFailure.ReadOnly, "the identity of the server lacks a permission, or a network rule of the account excludes it"),
            RequestFailedException { Status: 404 } => (StoreFailure.Unavailable, "the container does not exist"),
            RequestFailedException { Status: 0 } => (StoreFailure.Unavailable, "the service does not respond"),
            RequestFailedException other => (StoreFailure.Unavailable, $"the service responded with {other.Status} {other.ErrorCode}"),
            AuthenticationFailedException => (StoreFailure.Unavailable, "the server has no credentials for the account"),
            _ => (StoreFailure.Unavailable, "the service does not respond"),
        };
        return new UploadStoreException(failure, $"Azure Blob Storage could not {operation}: {reason}.", durableOffset, e);
    }

    private static bool IsFull(RequestFailedException e) =>
        e.Status is 413 or 507 || e.ErrorCode == BlobErrorCode.BlockCountExceedsLimit || e.ErrorCode == BlobErrorCode.MaxBlobSizeConditionNotMet;
}
