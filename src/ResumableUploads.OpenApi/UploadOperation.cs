using System.Globalization;
using Microsoft.OpenApi;
using ResumableUploads.Protocols;

namespace ResumableUploads.OpenApi;

/// <summary>What an upload protocol adds to an operation.</summary>
/// <param name="Summary">The summary of an operation that the application does not have itself.</param>
/// <param name="RequestHeaders">The request headers.</param>
/// <param name="Responses">The responses.</param>
/// <param name="HasContent">Whether requests have content.</param>
internal sealed record UploadOperation(string Summary, UploadHeader[] RequestHeaders, UploadResponseDescription[] Responses, bool HasContent = false)
{
    /// <summary>Creates an operation.</summary>
    public OpenApiOperation Create()
    {
        var operation = new OpenApiOperation { Summary = Summary, Responses = [] };
        if (HasContent)
        {
            operation.RequestBody = new OpenApiRequestBody
            {
                Description = "The bytes from the offset on.",
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/octet-stream"] = CreateBinary(),
                    ["application/offset+octet-stream"] = CreateBinary(),
                    ["application/partial-upload"] = CreateBinary(),
                },
            };
        }

        AddTo(operation);
        return operation;
    }

    /// <summary>Adds the headers and responses to an operation. Those that the operation has are not changed, except that headers are added to responses.</summary>
    public void AddTo(OpenApiOperation operation)
    {
        operation.Parameters ??= [];
        foreach (UploadHeader header in RequestHeaders)
        {
            if (!operation.Parameters.Any(parameter => parameter.In == ParameterLocation.Header && string.Equals(parameter.Name, header.Name, StringComparison.OrdinalIgnoreCase)))
            {
                operation.Parameters.Add(header.ToParameter());
            }
        }

        operation.Responses ??= [];
        foreach (UploadResponseDescription response in Responses)
        {
            string status = response.Status.ToString(CultureInfo.InvariantCulture);
            if (!operation.Responses.TryGetValue(status, out IOpenApiResponse? existing))
            {
                operation.Responses[status] = existing = response.Create();
            }

            if (existing is OpenApiResponse target)
            {
                target.Headers ??= new Dictionary<string, IOpenApiHeader>();
                foreach (UploadHeader header in response.Headers)
                {
                    target.Headers.TryAdd(header.Name, header.ToHeader());
                }
            }
        }
    }

    private static OpenApiMediaType CreateBinary() => new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } };
}

/// <summary>A response of an upload protocol.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Description">The description.</param>
/// <param name="Headers">The headers.</param>
internal sealed record UploadResponseDescription(int Status, string Description, UploadHeader[] Headers)
{
    public OpenApiResponse Create()
    {
        var response = new OpenApiResponse { Description = Description };
        if (Status >= 400)
        {
            response.Content = new Dictionary<string, OpenApiMediaType> { [Problem.ContentType] = new OpenApiMediaType { Schema = CreateProblemSchema() } };
        }

        return response;
    }

    private static OpenApiSchema CreateProblemSchema()
    {
        static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };
        static OpenApiSchema Number(string format) => new() { Type = JsonSchemaType.Integer, Format = format };
        return new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["type"] = Text(),
                ["title"] = Text(),
                ["status"] = Number("int32"),
                ["detail"] = Text(),
                ["expected-offset"] = Number("int64"),
                ["provided-offset"] = Number("int64"),
            },
        };
    }
}
