using Azure.Core;
using Azure.Storage.Blobs;
using ResumableUploads.AzureBlobs;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps resumable uploads in Azure Blob Storage.</summary>
public static class AzureBlobsResumableUploadsBuilderExtensions
{
    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">The connection string of the storage account.</param>
    /// <param name="containerName">The name of the container. It must exist, unless <see cref="AzureBlobUploadStoreOptions.CreateContainer"/> is set.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> or <paramref name="containerName"/> is empty.</exception>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, string connectionString, string containerName) =>
        builder.UseAzureBlobs(connectionString, containerName, static _ => { });

    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">The connection string of the storage account.</param>
    /// <param name="containerName">The name of the container. It must exist, unless <see cref="AzureBlobUploadStoreOptions.CreateContainer"/> is set.</param>
    /// <param name="configure">Configures the store.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> or <paramref name="containerName"/> is empty, or an option is out of range.</exception>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, string connectionString, string containerName, Action<AzureBlobUploadStoreOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        ArgumentException.ThrowIfNullOrWhiteSpace(containerName);
        return builder.UseAzureBlobs(_ => AzureBlobUploadStore.CreateClient(connectionString, containerName), configure);
    }

    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="containerUri">The URL of the container, such as <c>https://ACCOUNT.blob.core.windows.net/CONTAINER</c>.</param>
    /// <param name="credential">The credential, such as <c>DefaultAzureCredential</c>. Its identity needs the role "Storage Blob Data Contributor".</param>
    /// <returns>The builder.</returns>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, Uri containerUri, TokenCredential credential) =>
        builder.UseAzureBlobs(containerUri, credential, static _ => { });

    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="containerUri">The URL of the container, such as <c>https://ACCOUNT.blob.core.windows.net/CONTAINER</c>.</param>
    /// <param name="credential">The credential, such as <c>DefaultAzureCredential</c>. Its identity needs the role "Storage Blob Data Contributor".</param>
    /// <param name="configure">Configures the store.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, Uri containerUri, TokenCredential credential, Action<AzureBlobUploadStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(containerUri);
        ArgumentNullException.ThrowIfNull(credential);
        return builder.UseAzureBlobs(_ => AzureBlobUploadStore.CreateClient(containerUri, credential), configure);
    }

    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="container">The client of the container. <see cref="AzureBlobUploadStore.CreateClientOptions"/> returns options for it.</param>
    /// <returns>The builder.</returns>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, BlobContainerClient container) =>
        builder.UseAzureBlobs(container, static _ => { });

    /// <summary>Keeps uploads in a container of Azure Blob Storage. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="container">The client of the container. <see cref="AzureBlobUploadStore.CreateClientOptions"/> returns options for it.</param>
    /// <param name="configure">Configures the store.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, BlobContainerClient container, Action<AzureBlobUploadStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(container);
        return builder.UseAzureBlobs(_ => container, configure);
    }

    /// <summary>Keeps uploads in a container of Azure Blob Storage, whose client comes from the container of services. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="getContainer">Returns the client of the container.</param>
    /// <returns>The builder.</returns>
    public static IResumableUploadsBuilder UseAzureBlobs(this IResumableUploadsBuilder builder, Func<IServiceProvider, BlobContainerClient> getContainer) =>
        builder.UseAzureBlobs(getContainer, static _ => { });

    /// <summary>Keeps uploads in a container of Azure Blob Storage, whose client comes from the container of services. Replaces a store that was chosen before.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="getContainer">Returns the client of the container.</param>
    /// <param name="configure">Configures the store.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static IResumableUploadsBuilder UseAzureBlobs(
        this IResumableUploadsBuilder builder, Func<IServiceProvider, BlobContainerClient> getContainer, Action<AzureBlobUploadStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(getContainer);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new AzureBlobUploadStoreOptions();
        configure(options);
        options.Validate();
        return builder.UseStore(services => new AzureBlobUploadStore(getContainer(services), options, services.GetService<TimeProvider>()));
    }
}
