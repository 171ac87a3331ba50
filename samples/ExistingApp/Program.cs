// A typical app with a stream, a form with an antiforgery token, and a JSON import. The lines that make them resumable are marked as new.
using ExistingApp;

WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]); // new: reloading settings would watch the directory of the uploads
builder.Services.AddControllersWithViews();
builder.Services.AddValidation();
builder.Services.AddSingleton<SavedFiles>();
builder.Services.AddResumableUploads(); // new
builder.WebHost.UseLargeUploadBuffers(); // new

WebApplication app = builder.Build();
app.UseDefaultFiles();
app.UseStaticFiles();
app.MapControllers(); // the form: DocumentsController

app.MapPost("/videos", async (HttpRequest request, Stream body, SavedFiles saved, CancellationToken cancellationToken) =>
{
    SavedFile video = await saved.SaveAsync(body, cancellationToken);
    return Results.Created($"/videos/{video.Digest}", new { video.Digest, video.Size, Type = request.ContentType });
}).WithResumableUploads(); // new

app.MapGet("/videos/{digest}", (string digest, SavedFiles saved) => saved.Find(digest) is { } path
    ? Results.File(path, "application/octet-stream", enableRangeProcessing: true)
    : Results.NotFound());

app.MapPost("/import", (Import import) => Results.Ok(new
{
    import.Source,
    Items = import.Items.Count,
    Quantity = import.Items.Sum(static item => (long)item.Quantity),
})).WithResumableUploads(); // new

app.Run();
