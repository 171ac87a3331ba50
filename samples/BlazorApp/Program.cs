using BlazorApp;
using BlazorApp.Client;
using BlazorApp.Components;
using ResumableUploads;

// Reloading settings would watch every directory below the content root, including the uploads.
WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
// Without this call, only the Development environment and published apps serve the scripts of packages.
builder.WebHost.UseStaticWebAssets();
builder.Services.AddRazorComponents().AddInteractiveServerComponents().AddInteractiveWebAssemblyComponents();
builder.Services.AddResumableUploads();

WebApplication app = builder.Build();
app.UseAntiforgery();

// The files stay in the store until the form of Documents.razor is sent, and are deleted after a day if it is not.
app.UseResumableUploads(options =>
{
    options.Timeouts.CompletedRetention = TimeSpan.FromDays(1);
    options.OnCompleted = (upload, cancellationToken) =>
    {
        upload.Response = upload.Size == 0
            ? new UploadResponse(StatusCodes.Status422UnprocessableEntity, "text/plain", "The file is empty."u8.ToArray())
            : UploadResponse.Json(new Receipt(upload.Size, upload.ContentType), ReceiptContext.Default.Receipt);
        return Task.CompletedTask;
    };
});

app.MapStaticAssets();
app.MapRazorComponents<App>()
    .AddInteractiveServerRenderMode()
    .AddInteractiveWebAssemblyRenderMode()
    .AddAdditionalAssemblies(typeof(UploadPanel).Assembly);
app.Run();
