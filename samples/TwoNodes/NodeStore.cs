using ResumableUploads.AzureBlobs;

namespace TwoNodes;

/// <summary>Chooses the store that the nodes share: <c>--store directory</c> (default), <c>--store azure</c> or <c>--store s3</c>.</summary>
internal static class NodeStore
{
    public static void Add(WebApplicationBuilder builder)
    {
        ConfigurationManager configuration = builder.Configuration;
        IResumableUploadsBuilder uploads = builder.Services.AddResumableUploads();
        string store = configuration["store"] ?? "directory";
        switch (store)
        {
            case "directory":
                uploads.UseFileSystemStore(configuration["directory"] ?? Path.Combine(builder.Environment.ContentRootPath, "uploads"));
                break;

            case "azure":
                // The default is an emulator: npx azurite --skipApiVersionCheck
                uploads.UseAzureBlobs(
                    configuration["connection-string"] ?? "UseDevelopmentStorage=true",
                    configuration["container"] ?? "uploads",
                    static (AzureBlobUploadStoreOptions options) => options.CreateContainer = true);
                break;

            case "s3":
                uploads.UseS3(options =>
                {
                    options.Bucket = configuration["bucket"] ?? "uploads";
                    options.ServiceUrl = configuration["service-url"];
                });
                break;

            default:
                throw new ArgumentException($"'{store}' is not a store. Use --store directory, --store azure or --store s3.");
        }
    }
}
