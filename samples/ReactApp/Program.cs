using ResumableUploads;

// Reloading settings would watch every directory below the content root, including the uploads.
WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
// The upload element is a static web asset of the package. Without this call, only the Development environment and published apps serve it.
builder.WebHost.UseStaticWebAssets();
builder.Services.AddResumableUploads();

WebApplication app = builder.Build();
app.UseDefaultFiles();
app.UseStaticFiles();

// The files stay in the store until the form is sent, and are deleted after a day if it is not.
app.UseResumableUploads(options =>
{
    options.Timeouts.CompletedRetention = TimeSpan.FromDays(1);
    options.OnCompleted = static (_, _) => Task.CompletedTask;
});

string saved = Path.Combine(app.Configuration["ResumableUploads:Directory"]!, "finished");
app.MapPost("/documents", async (HttpContext context, CancellationToken cancellationToken) =>
{
    IReadOnlyList<FormUpload> files = await context.GetFormUploadsAsync("files", cancellationToken: cancellationToken);
    if (!files.All(static file => file.IsCompleted))
    {
        return Results.BadRequest("A file is missing. Upload it again.");
    }

    foreach (FormUpload file in files)
    {
        await file.Upload!.MoveToDirectoryAsync(saved, cancellationToken);
    }

    return Results.NoContent();
});
app.Run();
