using Microsoft.Extensions.Options;
using ResumableUploads;
using SampleHost;

// A host that looks for changes of its settings watches all directories below them, and uploads are there.
WebApplicationBuilder builder = WebApplication.CreateBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
builder.Services.AddResumableUploads();
builder.Services.AddSingleton<FinishedFiles>();

// A large upload takes fewer system calls, for 64 KiB of memory where bytes wait to be read.
builder.WebHost.UseLargeUploadBuffers();

// Where an address has HTTPS, clients of the IETF draft on HTTP/2 are told by interim responses where their upload is.
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.UseResumableUploadInterimResponses()));

// Pages of these sites may upload too. There are none until somebody names them.
string[] origins = builder.Configuration.GetSection("AllowedOrigins").Get<string[]>() ?? [];
builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).WithResumableUploads()));

WebApplication app = builder.Build();
FinishedFiles finished = app.Services.GetRequiredService<FinishedFiles>();

app.UseDefaultFiles();
app.UseStaticFiles();
app.UseCors();
app.UseResumableUploads(options =>
{
    options.OnCreating = (upload, _) =>
    {
        app.Logger.LogInformation("A file begins to arrive: {Name}, {Size} bytes.", upload.FileName, upload.Length);
        return Task.CompletedTask;
    };
    options.OnCompleted = async (upload, cancellationToken) =>
    {
        string path = await upload.MoveToDirectoryAsync(finished.Directory, cancellationToken);
        app.Logger.LogInformation("A file has arrived: {Name}, {Size} bytes.", Path.GetFileName(path), upload.Size);
    };
    options.OnExpired = (upload, _) =>
    {
        app.Logger.LogInformation("A file was never finished, and its {Size} bytes are removed: {Name}.", upload.Offset, upload.FileName);
        return Task.CompletedTask;
    };
});

app.MapGet("/files", () => finished.List());
app.MapGet("/files/{name}", (string name) => finished.Find(name) is { } path
    ? Results.File(path, "application/octet-stream", name, enableRangeProcessing: true)
    : Results.NotFound());

ResumableUploadOptions settings = app.Services.GetRequiredService<IOptions<ResumableUploadOptions>>().Value;
app.Logger.LogInformation("Finished files are kept in {Directory}.", finished.Directory);
app.Logger.LogInformation("What was acknowledged survives: {Durability}.", settings.FileSystem.Durability);
app.Run();
