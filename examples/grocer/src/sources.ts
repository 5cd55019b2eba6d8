import { defineSource } from "@heddle/sdk";

const ownership = {
  owner: "grocer-data@example.org",
  licence: "CC0, The Complete Journey 2.0, 84.51°/dunnhumby",
  lawfulBasis: "consent: the households joined the retailer's programme",
  retentionDays: 3_650,
  jurisdiction: "US",
  purposes: ["ranking", "evaluation"],
};

/** A product in a basket; known after the nightly load. */
export const purchases = defineSource({
  name: "purchases",
  ...ownership,
  columns: {
    household_id: "int64",
    store_id: "int64",
    basket_id: "int64",
    product_id: "int64",
    quantity: "int64",
    sales_cents: "int64",
    retail_discount_cents: "int64",
    coupon_discount_cents: "int64",
    coupon_match_discount_cents: "int64",
    week: "int64",
    event_time: "timestamp",
  },
  eventId: ["basket_id", "product_id"],
  eventTime: "event_time",
  available: { rule: "next-day", at: "03:00" },
  subject: "household_id",
});

/** A product promoted in a store for a week; known when the week starts. */
export const promotions = defineSource({
  name: "promotions",
  ...ownership,
  columns: {
    product_id: "int64",
    store_id: "int64",
    week: "int64",
    display_location: "string",
    mailer_location: "string",
    event_time: "timestamp",
  },
  eventId: ["week", "store_id", "product_id"],
  eventTime: "event_time",
  available: { rule: "at-event" },
});

export const products = defineSource({
  name: "products",
  ...ownership,
  columns: {
    product_id: "int64",
    manufacturer_id: "int64",
    department: "string",
    brand: "string",
    product_category: "string",
    product_type: "string",
    package_size: "string",
  },
  eventId: ["product_id"],
  available: { rule: "at-event" },
});

export const demographics = defineSource({
  name: "demographics",
  ...ownership,
  columns: {
    household_id: "int64",
    age: "string",
    income: "string",
    home_ownership: "string",
    marital_status: "string",
    household_size: "string",
    household_comp: "string",
    kids_count: "string",
  },
  eventId: ["household_id"],
  available: { rule: "at-event" },
  subject: "household_id",
});
