using Microsoft.OpenApi;

namespace ResumableUploads.OpenApi;

/// <summary>A header of an upload protocol.</summary>
/// <param name="Name">The name.</param>
/// <param name="Description">The description.</param>
/// <param name="Type">The type of the value.</param>
internal sealed record UploadHeader(string Name, string Description, JsonSchemaType Type = JsonSchemaType.String)
{
    /// <summary>Returns the header as an optional parameter of a request. Which of them a request needs depends on its protocol.</summary>
    public OpenApiParameter ToParameter() => new() { Name = Name, In = ParameterLocation.Header, Description = Description, Schema = CreateSchema() };

    /// <summary>Returns the header of a response.</summary>
    public OpenApiHeader ToHeader() => new() { Description = Description, Schema = CreateSchema() };

    private OpenApiSchema CreateSchema() => Type == JsonSchemaType.Integer ? new() { Type = Type, Format = "int64" } : new() { Type = Type };
}
