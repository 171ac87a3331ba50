using Azure;
using Azure.Identity;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ResumableUploads.AzureBlobs.Blobs;

namespace ResumableUploads.AzureBlobs.Maintenance;

/// <summary>Tests whether the container exists, the server has all permissions, and the service enforces the conditions on which the store depends.</summary>
internal sealed class StartupCheck(StoreContext context)
{
    private readonly string _container = context.Blobs.Container.Name;
    private string _step = "";

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        AppendBlobClient probe = context.Blobs.Container.GetAppendBlobClient(context.Blobs.Names.NewProbe());
        try
        {
            _step = "find the container";
            if (context.Options.CreateContainer)
            {
                _step = "create the container";
                await context.Blobs.Container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            }

            _step = "create a blob";
            await probe.CreateAsync(NotExisting(), cancellationToken);
            try
            {
                await CheckConditionsAsync(probe, cancellationToken);
            }
            finally
            {
                await DeleteAsync(probe);
            }

            _step = "list blobs";
            await foreach (Page<BlobItem> _ in context.Blobs.Container.GetBlobsAsync(new GetBlobsOptions { Prefix = context.Blobs.Names.SidePrefix }, cancellationToken).AsPages(pageSizeHint: 1))
            {
                break;
            }
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, cancellationToken))
        {
            throw new InvalidOperationException($"The upload store could not {_step} in container '{_container}': {Explain(e)}", e);
        }
    }

    private async Task CheckConditionsAsync(AppendBlobClient probe, CancellationToken cancellationToken)
    {
        _step = "create a blob that exists, which the service must reject,";
        await ExpectRejectionAsync(() => probe.CreateAsync(NotExisting(), cancellationToken));

        _step = "lease a blob";
        BlobLeaseClient lease = probe.GetBlobLeaseClient();
        await lease.AcquireAsync(AzureBlobUploadStoreOptions.MinLeaseDuration, cancellationToken: cancellationToken);
        _step = "append to a blob";
        await AppendAsync(probe, 0, lease.LeaseId, cancellationToken);
        _step = "append at a wrong position, which the service must reject,";
        await ExpectRejectionAsync(() => AppendAsync(probe, 0, lease.LeaseId, cancellationToken));
        _step = "append to a leased blob without the lease, which the service must reject,";
        await ExpectRejectionAsync(() => AppendAsync(probe, 1, leaseId: null, cancellationToken));
        _step = "break a lease";
        await lease.BreakAsync(TimeSpan.Zero, cancellationToken: cancellationToken);
        _step = "append with a broken lease, which the service must reject,";
        await ExpectRejectionAsync(() => AppendAsync(probe, 1, lease.LeaseId, cancellationToken));
        _step = "change metadata with a wrong condition, which the service must reject,";
        await ExpectRejectionAsync(() => probe.SetMetadataAsync(
            new Dictionary<string, string>(), new BlobRequestConditions { IfMatch = new ETag("\"0x1\"") }, cancellationToken));
        _step = "read a blob";
        await probe.DownloadContentAsync(cancellationToken);
        _step = "delete a blob";
        await probe.DeleteAsync(cancellationToken: cancellationToken);
    }

    private static async Task DeleteAsync(AppendBlobClient probe)
    {
        try
        {
            await probe.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
        }
        catch (Exception e) when (StorageErrors.IsStorageFailure(e, CancellationToken.None))
        {
            // The check has failed before, or its next step fails.
        }
    }

    private static AppendBlobCreateOptions NotExisting() => new() { Conditions = new AppendBlobRequestConditions { IfNoneMatch = ETag.All } };

    private static async Task AppendAsync(AppendBlobClient probe, long position, string? leaseId, CancellationToken cancellationToken)
    {
        using var block = new MemoryStream([1], writable: false);
        var conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = position, LeaseId = leaseId };
        await probe.AppendBlockAsync(block, new AppendBlobAppendBlockOptions { Conditions = conditions }, cancellationToken);
    }

    private async Task ExpectRejectionAsync(Func<Task> request)
    {
        try
        {
            await request();
        }
        catch (RequestFailedException e) when (StorageErrors.IsConflict(e))
        {
            return;
        }

        throw new InvalidOperationException(
            $"The upload store could {_step} in container '{_container}'. Two servers could overwrite each other's bytes. Use Azure Blob Storage, or an emulator that enforces conditions and leases.");
    }

    private string Explain(Exception e) => e switch
    {
        RequestFailedException { ErrorCode: "ContainerNotFound" } => "it does not exist. Create it, or set AzureBlobUploadStoreOptions.CreateContainer.",
        RequestFailedException { Status: 403, ErrorCode: "AuthorizationPermissionMismatch" } =>
            "the identity of the server lacks the permission. Assign it the role 'Storage Blob Data Contributor' for the container.",
        RequestFailedException { Status: 403 } => "the service rejected the credentials, or a network rule excludes this server. Check the key or the role, and the firewall of the account.",
        RequestFailedException { Status: 400, ErrorCode: "InvalidHeaderValue" or "FeatureVersionMismatch" } =>
            "the service does not know the version of the client library. Start an emulator with --skipApiVersionCheck.",
        RequestFailedException { ErrorCode: "BlobTypeNotSupported" or "UnsupportedBlobType" } or RequestFailedException { Status: 409, ErrorCode: "OperationNotSupportedOnAccount" } =>
            "the account does not support append blobs. Use a standard general-purpose v2 account.",
        RequestFailedException { ErrorCode: "BlobImmutableDueToPolicy" } => "the container has an immutability policy. Use another container.",
        AuthenticationFailedException => "the server has no credentials. Check the managed identity or the environment of the credential.",
        RequestFailedException failure => $"the service responded with {failure.Status} {failure.ErrorCode}.",
        _ => $"the service at {context.Blobs.Container.Uri.Host} does not respond. Check the address and the network.",
    };
}
