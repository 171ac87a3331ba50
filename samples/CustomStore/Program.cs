// An app that stores uploads in a SQLite database, with its own IUploadStore.
using CustomStore;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
WebApplication app = builder.Build();

string database = Path.Combine(app.Environment.ContentRootPath, "uploads.db");
app.UseResumableUploads(options =>
{
    options.Store = new SqliteUploadStore(database);
    options.OnCompleted = (upload, _) =>
    {
        app.Logger.LogInformation("Received {Length} bytes.", upload.Length);
        return Task.CompletedTask;
    };
});

app.Run();
